"use strict";
// Points of a record on a map, a point to be picked for a form, and that of a chosen place. What
// people wrote is only ever set as text. Without this script the page has the same points as a
// table, and the form its fields.
(function () {
    if (!window.L) return;
    const LOOKS = {
        ours: { color: "#0b57a4", fillColor: "#0b57a4", radius: 8 },
        claim: { color: "#8a1c1c", fillColor: "#f2a65a", radius: 7 },
        place: { color: "#3d3d3d", fillColor: "#ffffff", radius: 6 },
        near: { color: "#5a5a5a", fillColor: "#bdbdbd", radius: 5 },
    };

    function draw(box, settings) {
        box.hidden = false;
        // Without Leaflet's own mark, whose flag is drawn by an inline style.
        const map = L.map(box, { attributionControl: false, worldCopyJump: true });
        if (settings.attribution) L.control.attribution({ prefix: false }).addTo(map);
        if (settings.tiles) {
            L.tileLayer(settings.tiles, { attribution: settings.attribution }).addTo(map);
        }
        settings.outlines.forEach((address) => {
            fetch(address).then((answer) => answer.json()).then((lines) => {
                L.geoJSON(lines, { style: { color: "#777", weight: 1, fill: false, interactive: false } })
                    .addTo(map).bringToBack();
            }).catch(() => {});
        });
        return map;
    }

    function showPoints(box) {
        const settings = JSON.parse(document.getElementById(box.dataset.map).textContent);
        const map = draw(box, settings);
        const all = [];
        settings.points.forEach((point) => {
            const at = [point.latitude, point.longitude];
            if (point.kind !== "near") all.push(at);
            if (point.radius_m) {
                L.circle(at, { radius: point.radius_m, color: LOOKS[point.kind].color, weight: 1, fillOpacity: 0.08 }).addTo(map);
            }
            const marker = L.circleMarker(at, { ...LOOKS[point.kind], weight: 2, fillOpacity: 0.9 }).addTo(map);
            const label = document.createElement(point.url ? "a" : "span");
            label.textContent = point.label;
            if (point.url) label.href = point.url;
            marker.bindPopup(label);
        });
        const every = all.length ? all : settings.points.map((point) => [point.latitude, point.longitude]);
        map.fitBounds(L.latLngBounds(every).pad(0.4), { maxZoom: 11 });
    }

    function pickPoint(box) {
        const settings = JSON.parse(document.getElementById(box.dataset.settings).textContent);
        const field = (name) => document.getElementById(box.dataset[name]);
        const latitude = field("latitude");
        const longitude = field("longitude");
        const radius = field("radius");
        const precision = field("precision");
        const map = draw(box, settings);
        let marker = null;
        let ring = null;
        let place = null;

        function showPlace(point) {
            if (place) place.remove();
            place = null;
            if (!point || point.latitude === undefined) return;
            place = L.circleMarker([point.latitude, point.longitude], { ...LOOKS.place, weight: 2 }).addTo(map);
            const label = document.createElement("span");
            label.textContent = point.label;
            place.bindTooltip(label);
            if (!marker) map.setView(place.getLatLng(), 10);
        }
        function typed() {
            const at = [parseFloat(latitude.value), parseFloat(longitude.value)];
            [marker, ring].forEach((drawn) => drawn && drawn.remove());
            marker = ring = null;
            if (at.some(Number.isNaN) || Math.abs(at[0]) > 90 || Math.abs(at[1]) > 180) return null;
            const metres = parseInt(radius && radius.value, 10) || settings.radii[precision && precision.value];
            if (metres) {
                ring = L.circle(at, { radius: metres, color: LOOKS.ours.color, weight: 1, fillOpacity: 0.08, interactive: false }).addTo(map);
            }
            marker = L.circleMarker(at, { ...LOOKS.ours, weight: 2, fillOpacity: 0.9, interactive: false }).addTo(map);
            return at;
        }
        const chosen = field("place");
        if (chosen) chosen.addEventListener("picked", (event) => showPlace(event.detail));
        map.setView((latitude && typed()) || [21, 96], marker ? 10 : 5);
        showPlace(settings.place);
        // A form that asks for the place alone.
        if (!latitude || !longitude) return;
        map.on("click", (event) => {
            latitude.value = event.latlng.lat.toFixed(6);
            longitude.value = event.latlng.wrap().lng.toFixed(6);
            typed();
        });
        [latitude, longitude].forEach((each) => each.addEventListener("change", () => {
            const at = typed();
            if (at) map.panTo(at);
        }));
        [radius, precision].forEach((each) => each && each.addEventListener("change", typed));
    }

    document.querySelectorAll("[data-map]").forEach(showPoints);
    document.querySelectorAll("[data-map-pick]").forEach(pickPoint);
})();

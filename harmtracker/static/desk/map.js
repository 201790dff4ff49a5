"use strict";
// Points of a record on a map, and a point to be picked for a form. What people wrote is only ever
// set as text. Without this script the page has the same points as a table, and the form its fields.
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
        const latitude = document.getElementById(box.dataset.latitude);
        const longitude = document.getElementById(box.dataset.longitude);
        const map = draw(box, { outlines: (box.dataset.outlines || "").split(" ").filter(Boolean), tiles: box.dataset.tiles, attribution: box.dataset.attribution });
        let marker = null;
        function typed() {
            const at = [parseFloat(latitude.value), parseFloat(longitude.value)];
            if (at.some(Number.isNaN)) return null;
            if (marker) marker.setLatLng(at);
            else marker = L.circleMarker(at, { ...LOOKS.ours, weight: 2 }).addTo(map);
            return at;
        }
        map.setView(typed() || [21, 96], marker ? 10 : 5);
        map.on("click", (event) => {
            latitude.value = event.latlng.lat.toFixed(6);
            longitude.value = event.latlng.wrap().lng.toFixed(6);
            typed();
        });
        [latitude, longitude].forEach((field) => field.addEventListener("change", () => {
            const at = typed();
            if (at) map.panTo(at);
        }));
    }

    document.querySelectorAll("[data-map]").forEach(showPoints);
    document.querySelectorAll("[data-map-pick]").forEach(pickPoint);
})();

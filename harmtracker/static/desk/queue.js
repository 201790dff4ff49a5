"use strict";
// Keys for whoever works through the queue. They can be switched off, which the browser remembers,
// and do nothing while something is written or another control has the focus.
(function () {
    const rows = Array.from(document.querySelectorAll("#queue tbody tr"));
    const help = document.getElementById("keys");
    const switched = document.getElementById("keys-on");
    if (!help || !switched) {
        return;
    }
    help.hidden = false;
    try {
        switched.checked = window.localStorage.getItem("queue-keys") !== "off";
    } catch {
        // No storage: they are on.
    }
    switched.addEventListener("change", () => {
        try {
            window.localStorage.setItem("queue-keys", switched.checked ? "on" : "off");
        } catch {
            // It counts for this page alone.
        }
    });

    // A record that was taken or opened by a key is where the person goes on when the list is back.
    const KEPT = "queue-at";
    function keepPlace(row) {
        try {
            window.sessionStorage.setItem(KEPT, row.querySelector("a.open").pathname);
        } catch {
            // They begin at the top again.
        }
    }
    function goBack() {
        try {
            const kept = window.sessionStorage.getItem(KEPT);
            window.sessionStorage.removeItem(KEPT);
            const row = kept && rows.find((one) => one.querySelector("a.open").pathname === kept);
            if (row) {
                row.focus();
                row.scrollIntoView({ block: "nearest" });
            }
        } catch {
            // As if nothing had been kept.
        }
    }
    window.addEventListener("pageshow", goBack);

    function current() {
        return rows.findIndex((row) => row.contains(document.activeElement));
    }

    function go(step) {
        const at = current();
        const next = at < 0 ? (step > 0 ? 0 : rows.length - 1) : at + step;
        if (rows[next]) {
            rows[next].focus();
            rows[next].scrollIntoView({ block: "nearest" });
        }
    }

    const acts = {
        j: () => go(1),
        k: () => go(-1),
        o: (row) => {
            if (row) {
                keepPlace(row);
                row.querySelector("a.open").click();
            }
        },
        t: (row) => {
            if (row) {
                keepPlace(row);
                row.querySelector("td.taken button").click();
            }
        },
        x: (row) => row && row.querySelector("input[type=checkbox]")?.click(),
        "?": () => {
            help.open = !help.open;
            if (help.open) {
                help.querySelector("summary").focus();
            }
        },
    };

    document.addEventListener("keydown", (event) => {
        const target = event.target;
        if (!switched.checked || event.ctrlKey || event.altKey || event.metaKey || event.isComposing) {
            return;
        }
        if (target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]")) {
            return;
        }
        const row = rows[current()];
        if (event.key === "Enter" && target.matches("#queue tbody tr")) {
            acts.o(row);
        } else if (Object.hasOwn(acts, event.key)) {
            event.preventDefault();
            acts[event.key](row);
        }
    });
})();

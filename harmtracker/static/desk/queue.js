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
        o: (row) => row && row.querySelector("a.open").click(),
        t: (row) => row && row.querySelector("td.taken button").click(),
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

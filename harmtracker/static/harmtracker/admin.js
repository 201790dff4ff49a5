"use strict";

// What scrolls sideways is reached by keyboard, in a window turned or drawn smaller too.
(function () {
    function reach() {
        document.querySelectorAll(".inline-related.tabular").forEach((rows) => {
            if (rows.scrollWidth > rows.clientWidth) {
                rows.tabIndex = 0;
            } else {
                rows.removeAttribute("tabindex");
            }
        });
    }
    reach();
    window.addEventListener("resize", reach);
})();

// The browser leaves alone what shows in part, be it by a hair, within what scrolls sideways.
document.addEventListener("focusin", ({ target }) => {
    if (target.matches(":focus-visible") && target.closest(".results, .tabular")) {
        target.scrollIntoView({ block: "nearest", inline: "nearest" });
    }
});

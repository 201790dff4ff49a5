"use strict";
// What scrolls sideways is reached by keyboard.
document.querySelectorAll(".inline-related.tabular").forEach((rows) => {
    if (rows.scrollWidth > rows.clientWidth) {
        rows.tabIndex = 0;
    }
});

"use strict";
// A step of many records is taken a slice at a time: the next one by itself. Whoever leaves the
// page, or has no JavaScript, goes on with the button.
const form = document.querySelector("form[data-goes-on]");
if (form) {
    const waiting = setTimeout(() => form.submit(), 300);
    document.querySelectorAll("a").forEach((link) => {
        link.addEventListener("click", () => clearTimeout(waiting));
    });
}

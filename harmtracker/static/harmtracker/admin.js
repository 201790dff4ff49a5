"use strict";
// Searched lists are drawn by Select2 without a name: give each the label of its field, so that a
// screen reader says it. Django sets the field up first, on load and on each added row.
(function ($) {
    function nameLists() {
        document.querySelectorAll("select.admin-autocomplete").forEach((select) => {
            const drawn = select.nextElementSibling;
            const box = drawn && drawn.querySelector("[role=combobox]");
            const label = document.querySelector(`label[for="${select.id}"]`);
            const name = select.getAttribute("aria-label") || (label && label.textContent.trim());
            if (box && name) {
                const value = box.querySelector("[role=textbox]");
                const chosen = value ? value.textContent.trim() : "";
                box.removeAttribute("aria-labelledby");
                [box, value].filter(Boolean).forEach((part) => {
                    part.setAttribute("aria-label", chosen ? `${name} ${chosen}` : name);
                });
            }
        });
    }
    if ($) {
        $(nameLists);
        $(document).on("select2:select select2:clear", nameLists);
        document.addEventListener("formset:added", nameLists);
    }
})(window.django && window.django.jQuery);

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

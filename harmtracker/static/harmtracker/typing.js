"use strict";
// Conveniences around text that is typed and not saved yet: a question before a page is left, and
// a notice some minutes before the session ends. Without this script nothing is lost either: a form
// that is sent after the session has ended comes back with what was typed. Nothing is stored in the
// browser, and the server is not asked anything.
(function () {
    const TEXTS = "textarea, input[type=text], input[type=url], input[type=number]";
    const NOTICE_S = 5 * 60;
    const EVERY_MS = 10 * 1000;
    const carries = (form) => form.querySelector("input[name=kept]") !== null;
    const forms = [...document.querySelectorAll("form[method=post]")].filter((form) =>
        carries(form)
        || (form.querySelector(TEXTS) && !form.querySelector("input[type=password]")));
    if (!forms.length) return;

    // --- Leaving the page ---

    const unsaved = new Set();
    // A form that came back with what was typed before holds it, and nothing else does.
    const CAME_BACK = ".kept-notice, .side-by-side, .errornote, .errorlist";
    const cameBack = (form) => form.querySelector(CAME_BACK)
        || (forms.length === 1 && document.querySelector(CAME_BACK));
    forms.forEach((form) => {
        if (carries(form) || cameBack(form)) unsaved.add(form);
        const typed = () => unsaved.add(form);
        form.addEventListener("input", typed);
        form.addEventListener("change", typed);
    });
    window.addEventListener("submit", (event) => {
        if (!event.defaultPrevented) unsaved.delete(event.target);
    });
    window.addEventListener("beforeunload", (event) => {
        if (unsaved.size) event.preventDefault();
    });

    // --- The end of the session ---

    const said = document.querySelector("meta[name=session-left]");
    if (!said) return;
    const ends = Date.now() + Number(said.content) * 1000;
    const at = new Date(ends).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    const TEXT = {
        soon: `Your session ends at ${at}, unless you open or save a page before that. What you `
            + "typed stays here: save it now, or save it later and log in when you are asked, and "
            + "it is shown to you again.",
        over: `Your session has ended at ${at}, unless you used another page meanwhile. What you `
            + "typed is still here: save it, log in when you are asked, and it is shown to you "
            + "again.",
    };
    const notice = document.createElement("div");
    const text = document.createElement("p");
    const hide = document.createElement("button");
    notice.className = "session-ends";
    notice.setAttribute("role", "status");
    hide.type = "button";
    hide.className = "button";
    hide.textContent = "Hide";
    notice.append(text, hide);
    document.body.append(notice);
    let shown = "";
    function look() {
        const left = (ends - Date.now()) / 1000;
        const now = left <= 0 ? "over" : left <= NOTICE_S ? "soon" : "";
        if (now === shown) return;
        shown = now;
        text.textContent = TEXT[now] || "";
        notice.classList.toggle("is-shown", now !== "");
    }
    hide.addEventListener("click", () => notice.classList.remove("is-shown"));
    // By the clock: a laptop that slept is told as soon as it wakes.
    setInterval(look, EVERY_MS);
    document.addEventListener("visibilitychange", look);
    look();
})();

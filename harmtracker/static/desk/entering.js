"use strict";
// Conveniences of the pages for entering: readings and offers while one types, Enter goes to the
// next field. The server reads everything again when it is saved; without this script the button
// "Show how it is read" says the same. What people wrote is only ever set as text.
(function () {
    const PAUSE = 250;

    function later(act) {
        let timer = null;
        return () => {
            clearTimeout(timer);
            timer = setTimeout(act, PAUSE);
        };
    }

    function ask(address, text) {
        return fetch(`${address}?text=${encodeURIComponent(text.slice(0, 500))}`, { credentials: "same-origin" })
            .then((answer) => (answer.ok ? answer.json() : null)).catch(() => null);
    }

    // --- How a text is read ---

    function offer(box, input, said) {
        let row = box.querySelector(".offers");
        if (!row) {
            row = document.createElement("span");
            row.className = "offers";
            box.append(row);
        }
        row.replaceChildren();
        const prefix = input.id.replace(/reported_text$/, "");
        const weapon = document.getElementById(`${prefix}weapon`);
        const calibre = document.getElementById(`${prefix}calibre_mm`);
        const button = (text, field, value) => {
            if (!field) return;
            const one = document.createElement("button");
            one.type = "button";
            one.textContent = text;
            one.addEventListener("click", () => {
                field.value = value;
                field.dispatchEvent(new Event("change", { bubbles: true }));
                field.focus();
            });
            row.append(one);
        };
        said.offers.forEach((each) => button(each.label, weapon, each.id));
        if (said.calibre) button(`calibre ${said.calibre} mm`, calibre, said.calibre);
    }

    function readBack(box) {
        const input = box.querySelector("input");
        const reading = box.querySelector(".reading");
        const show = later(() => {
            const text = input.value;
            if (!text.trim()) {
                reading.textContent = "";
                const row = box.querySelector(".offers");
                if (row) row.replaceChildren();
                return;
            }
            ask(box.dataset.readBack, text).then((said) => {
                if (!said || input.value !== text) return;
                reading.classList.toggle("refused", said.refused);
                reading.textContent = said.offers && said.offers.length ? "" : said.reading;
                if (said.offers) offer(box, input, said);
            });
        });
        input.addEventListener("input", show);
        input.addEventListener("change", show);
    }

    // --- One of many, by its name ---

    let lists = 0;
    function pick(box) {
        const input = box.querySelector("input[type=text]");
        const select = box.querySelector("select");
        const list = document.createElement("ul");
        let found = [];
        let at = -1;
        lists += 1;
        list.id = `pick-${lists}`;
        list.setAttribute("role", "listbox");
        list.setAttribute("aria-label", "What the words fit");
        list.hidden = true;
        box.append(list);
        const open = select.options.length > 1 && !select.value && input.value;
        box.classList.toggle("live", !open);
        Object.entries({ role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": list.id })
            .forEach(([name, value]) => input.setAttribute(name, value));

        function close() {
            list.hidden = true;
            list.replaceChildren();
            at = -1;
            input.setAttribute("aria-expanded", "false");
            input.removeAttribute("aria-activedescendant");
        }
        function mark(next) {
            [...list.children].forEach((line, number) => line.setAttribute("aria-selected", number === next));
            at = next;
            if (at >= 0) {
                input.setAttribute("aria-activedescendant", list.children[at].id);
                list.children[at].scrollIntoView({ block: "nearest" });
            }
        }
        function choose(row) {
            select.replaceChildren(new Option("", ""), new Option(row.label, row.id, true, true));
            input.value = row.label;
            close();
            select.dispatchEvent(new CustomEvent("picked", { bubbles: true, detail: row }));
        }
        const look = later(() => {
            const text = input.value;
            if (!text.trim()) return close();
            return ask(box.dataset.pick, text).then((said) => {
                if (!said || input.value !== text || document.activeElement !== input) return;
                found = said.found;
                list.replaceChildren(...found.map((row, number) => {
                    const line = document.createElement("li");
                    line.id = `${list.id}-${number}`;
                    line.setAttribute("role", "option");
                    line.dir = "auto";
                    line.textContent = row.label;
                    line.addEventListener("mousedown", (event) => {
                        event.preventDefault();
                        choose(row);
                    });
                    return line;
                }));
                if (!found.length) {
                    const line = document.createElement("li");
                    line.className = "none";
                    line.setAttribute("role", "option");
                    line.setAttribute("aria-disabled", "true");
                    line.id = `${list.id}-none`;
                    line.textContent = "nothing by this name";
                    list.append(line);
                }
                list.hidden = false;
                input.setAttribute("aria-expanded", "true");
                mark(found.length ? 0 : -1);
            });
        });
        input.addEventListener("input", () => {
            select.value = "";
            box.classList.add("live");
            look();
        });
        input.addEventListener("keydown", (event) => {
            if (list.hidden) return;
            if (event.key === "ArrowDown" && found.length) mark((at + 1) % found.length);
            else if (event.key === "ArrowUp" && found.length) mark((at + found.length - 1) % found.length);
            else if (event.key === "Enter" && at >= 0) choose(found[at]);
            else if (event.key === "Escape") close();
            else return;
            event.preventDefault();
            event.stopPropagation();
        });
        input.addEventListener("blur", close);
    }

    // --- Enter goes on and saves nothing; with Ctrl it saves, and goes on to the next claim ---

    function goOn(event) {
        const field = event.target;
        if (event.key !== "Enter" || event.isComposing) return;
        if (event.ctrlKey || event.metaKey) {
            const button = field.form.querySelector("[name=_next]") || field.form.querySelector("[name=_save]");
            event.preventDefault();
            if (button) field.form.requestSubmit(button);
            return;
        }
        if (field.tagName !== "INPUT" || ["submit", "button", "file", "checkbox", "radio"].includes(field.type)) return;
        event.preventDefault();
        const fields = [...field.form.querySelectorAll("input:not([type=hidden]), select, textarea")]
            .filter((each) => each.offsetParent !== null && !each.disabled);
        const next = fields[fields.indexOf(field) + 1];
        if (next) next.focus();
    }

    function setUp(part) {
        part.querySelectorAll("[data-read-back]").forEach((box) => {
            if (!box.dataset.ready && !box.querySelector("input").name.includes("__prefix__")) {
                box.dataset.ready = "1";
                readBack(box);
            }
        });
        part.querySelectorAll("[data-pick]").forEach((box) => {
            if (!box.dataset.ready && !box.querySelector("select").name.includes("__prefix__")) {
                box.dataset.ready = "1";
                pick(box);
            }
        });
    }

    setUp(document);
    document.addEventListener("formset:added", (event) => setUp(event.target));
    document.querySelectorAll("form#claim_form, form#incident_form").forEach((form) => {
        form.addEventListener("keydown", goOn);
    });
})();

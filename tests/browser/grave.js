// After axe itself: what axe calls serious or critical on the page as it stands.
//
// Judging contrast takes longer than all other rules together. It follows from a few computed
// styles of an element and of what it lies in. So an element that looks in all of them like one
// that axe passed, here or on an earlier page, is not judged again.
// void, because a value that is a function would be called.
void (window.grave = (() => {
    const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
    const OF_COLOURS = ["color-contrast", "link-in-text-block"];
    const STYLES = [
        "color", "backgroundColor", "backgroundImage", "backgroundClip", "opacity", "fontSize",
        "fontWeight", "textShadow", "webkitTextStrokeWidth", "webkitTextStrokeColor", "filter",
        "mixBlendMode", "clipPath", "maskImage", "position", "float",
    ];
    const contrast = axe._audit.rules.find(rule => rule.id === "color-contrast");
    const concerns = contrast.matches;

    // FNV-1a, twice over.
    function digest(text) {
        let one = 0x811c9dc5, two = 0x1b873593;
        for (let at = 0; at < text.length; at++) {
            one = Math.imul(one ^ text.charCodeAt(at), 0x01000193);
            two = Math.imul(two ^ text.charCodeAt(at), 0x85ebca6b);
        }
        return `${(one >>> 0).toString(36)}.${(two >>> 0).toString(36)}`;
    }

    // What lies over other things than its parents looks like nothing else: null.
    function look(element, looks) {
        if (element === null) {
            return "";
        }
        if (!looks.has(element)) {
            const style = getComputedStyle(element);
            const around = look(element.parentElement, looks);
            const loose = element instanceof SVGElement
                || ["absolute", "fixed"].includes(style.position);
            looks.set(element, around === null || loose ? null : digest(
                [around, element.localName, ...STYLES.map(name => style[name])].join(";")));
        }
        return looks.get(element);
    }

    function judge(rules) {
        return axe.run(document, {
            runOnly: rules,
            resultTypes: ["violations", "incomplete"],
            selectors: false,
            elementRef: true,
            // Style sheets are not loaded again: no rule of these reads them.
            preload: {assets: ["media"]},
        });
    }

    return async ({passed, onlyColours}) => {
        const known = new Set(passed), looks = new Map(), begun = new Set();
        const doubtful = found => new Set([...found.violations, ...found.incomplete]
            .filter(rule => rule.id === contrast.id)
            .flatMap(rule => rule.nodes.map(node => look(node.element, looks))));

        // One element of each look.
        contrast.matches = (element, ...more) => {
            const own = look(element, looks);
            if (known.has(own) || begun.has(own) || !concerns(element, ...more)) {
                return false;
            }
            if (own !== null) {
                begun.add(own);
            }
            return true;
        };
        const found = await judge(onlyColours ? OF_COLOURS : TAGS);
        let violations = found.violations;
        const doubted = doubtful(found);
        doubted.forEach(own => begun.delete(own));
        // Where that one did not pass, or could not be judged, all that look so.
        if ([...doubted].some(own => own !== null)) {
            contrast.matches = (element, ...more) => (
                doubted.has(look(element, looks)) && concerns(element, ...more));
            violations = violations.filter(rule => rule.id !== contrast.id)
                .concat((await judge([contrast.id])).violations);
        }
        return {
            faults: violations
                .filter(rule => ["serious", "critical"].includes(rule.impact))
                .map(rule => [rule.id, rule.nodes.map(node => node.html.slice(0, 200))]),
            passed: [...begun],
        };
    };
})());

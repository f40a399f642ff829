const prepared = new WeakMap();
export function resumable(document) {
    let result = prepared.get(document);
    if (result === undefined) {
        result = prepare(document);
        prepared.set(document, result);
        if (result)
            prepared.set(result.document, result);
    }
    return result;
}
function prepare(document) {
    const definitions = document.definitions;
    const operation = definitions.find((d) => d.kind === "OperationDefinition");
    if (operation?.operation !== "subscription")
        return null;
    let variable = "after";
    let key = "";
    let cursorKey = "cursor";
    const visit = (owner) => {
        const selections = owner.selectionSet?.selections ?? [];
        return { ...owner, selectionSet: { kind: "SelectionSet", selections: selections.map(stream) } };
    };
    const changed = new Map();
    const stream = (selection) => {
        if (selection.kind === "InlineFragment")
            return visit(selection);
        if (selection.kind === "FragmentSpread") {
            const fragment = definitions.find((d) => d.kind === "FragmentDefinition" && d.name?.value === selection.name?.value);
            if (fragment && !changed.has(fragment)) {
                changed.set(fragment, fragment);
                changed.set(fragment, visit(fragment));
            }
            return selection;
        }
        if (selection.name?.value.startsWith("__"))
            return selection;
        key = responseKey(selection);
        const given = selection.arguments?.find((a) => a.name?.value === "after");
        const value = given?.value;
        if (value?.kind === "Variable")
            variable = value.name.value;
        else if (given && value?.kind !== "NullValue") {
            throw new Error(`@errand/client: pass "after" of ${selection.name?.value} as a variable, after: $after, to make it resumable.`);
        }
        const others = selection.arguments?.filter((a) => a !== given) ?? [];
        const selections = selection.selectionSet?.selections ?? [];
        const own = selections.find((s) => s.kind === "Field" && s.name?.value === "cursor");
        if (own)
            cursorKey = responseKey(own);
        else if (selections.some((s) => s.kind === "Field" && responseKey(s) === "cursor"))
            cursorKey = "streamCursor";
        const added = { ...field("cursor"), ...(cursorKey === "cursor" ? undefined : { alias: name(cursorKey) }) };
        return {
            ...selection,
            arguments: [...others, { kind: "Argument", name: name("after"), value: variableNode(variable) }],
            selectionSet: { kind: "SelectionSet", selections: own ? selections : [...selections, added] },
        };
    };
    let result = visit(operation);
    if (!key)
        return null;
    const variables = result.variableDefinitions ?? [];
    if (!variables.some((v) => v.variable?.name?.value === variable)) {
        const type = { kind: "NamedType", name: name("Cursor") };
        const definition = { kind: "VariableDefinition", variable: variableNode(variable), type, directives: [] };
        result = { ...result, variableDefinitions: [...variables, definition] };
    }
    return {
        document: {
            kind: "Document",
            definitions: definitions.map((d) => (d === operation ? result : (changed.get(d) ?? d))),
        },
        variable,
        cursor: (data) => {
            const event = data?.[key];
            const cursor = event?.[cursorKey];
            return typeof cursor === "string" ? cursor : undefined;
        },
    };
}
const responseKey = (field) => (field.alias ?? field.name).value;
const name = (value) => ({ kind: "Name", value });
const variableNode = (value) => ({ kind: "Variable", name: name(value) });
const field = (value) => ({ kind: "Field", name: name(value), arguments: [], directives: [] });
export function resumableText(query) {
    const text = query.replace(/"""[\s\S]*?"""|"(?:\\.|[^"\\\n])*"|#[^\n]*/g, "");
    const start = /(^|[}\s])subscription\b/.exec(text)?.index;
    if (start === undefined)
        return null;
    let args = "";
    let fields = "";
    let depth = 0;
    let parentheses = 0;
    for (const sign of text.slice(start)) {
        if (sign === "(")
            parentheses++;
        else if (sign === ")")
            parentheses--;
        else if (parentheses > 0)
            args += depth === 1 ? sign : "";
        else if (sign === "{")
            depth++;
        else if (sign === "}" && --depth === 0)
            break;
        if (depth === 2 && parentheses === 0)
            fields += sign;
    }
    const variable = /\bafter\s*:\s*\$(\w+)/.exec(args)?.[1];
    const cursorKey = /(?:\b(\w+)\s*:\s*)?\bcursor\b(?!\s*:)/.exec(fields);
    if (!variable || !cursorKey) {
        throw new Error("@errand/client: this subscription cannot be resumed. Declare the variable $after: Cursor, pass it to the stream " +
            `as after: $after, and select cursor on the event.\n${query}`);
    }
    return {
        variable,
        cursor: (data) => {
            for (const event of Object.values((data ?? {}))) {
                const cursor = event?.[cursorKey[1] ?? "cursor"];
                if (typeof cursor === "string")
                    return cursor;
            }
            return undefined;
        },
    };
}

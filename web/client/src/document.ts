// Makes subscription documents resumable. The nodes are those of any GraphQL library: only the members below matter.

interface Name {
  readonly value: string;
}
interface Node {
  readonly kind: string;
  readonly operation?: string;
  readonly name?: Name;
  readonly alias?: Name;
  readonly typeCondition?: unknown;
  readonly arguments?: readonly Node[];
  readonly value?: unknown;
  readonly variable?: Node;
  readonly variableDefinitions?: readonly Node[];
  readonly selectionSet?: { readonly kind: string; readonly selections: readonly Node[] };
}
interface Document {
  readonly kind: string;
  readonly definitions: readonly unknown[];
}

/** How to resume a subscription. */
export interface Resumable<D> {
  /** The document, with `$after` and `cursor` added where they were missing. */
  readonly document: D;
  /** Name of the variable that is passed as `after`. */
  readonly variable: string;
  /** Reads the cursor of an event from the response's `data`. */
  readonly cursor: (data: unknown) => string | undefined;
}

const prepared = new WeakMap<object, Resumable<object> | null>();

/**
 * Prepares a subscription document: declares the variable `$after`, passes it to the stream and selects the event's
 * `cursor`, unless the document does so already. Returns null for queries and mutations. The result is cached.
 */
export function resumable<D extends object>(document: D): Resumable<D> | null {
  let result = prepared.get(document);
  if (result === undefined) {
    result = prepare(document as unknown as Document) as Resumable<object> | null;
    prepared.set(document, result);
    // The prepared document is prepared already.
    if (result) prepared.set(result.document, result);
  }
  return result as Resumable<D> | null;
}

function prepare(document: Document): Resumable<Document> | null {
  const definitions = document.definitions as readonly Node[];
  const operation = definitions.find((d) => d.kind === "OperationDefinition");
  if (operation?.operation !== "subscription") return null;
  let variable = "after";
  let key = "";
  let cursorKey = "cursor";

  /** Replaces the stream's field in a selection set, through fragments. */
  const visit = (owner: Node): Node => {
    const selections = owner.selectionSet?.selections ?? [];
    return { ...owner, selectionSet: { kind: "SelectionSet", selections: selections.map(stream) } } as Node;
  };
  const changed = new Map<Node, Node>();
  const stream = (selection: Node): Node => {
    if (selection.kind === "InlineFragment") return visit(selection);
    if (selection.kind === "FragmentSpread") {
      const fragment = definitions.find((d) => d.kind === "FragmentDefinition" && d.name?.value === selection.name?.value);
      if (fragment && !changed.has(fragment)) {
        changed.set(fragment, fragment); // a cycle is left to the server's validation
        changed.set(fragment, visit(fragment));
      }
      return selection;
    }
    if (selection.name?.value.startsWith("__")) return selection;
    key = responseKey(selection);
    const given = selection.arguments?.find((a) => a.name?.value === "after");
    const value = given?.value as Node | undefined;
    if (value?.kind === "Variable") variable = value.name!.value;
    else if (given && value?.kind !== "NullValue") {
      throw new Error(`@errand/client: pass "after" of ${selection.name?.value} as a variable, after: $after, to make it resumable.`);
    }
    const others = selection.arguments?.filter((a) => a !== given) ?? [];
    const selections = selection.selectionSet?.selections ?? [];
    const own = selections.find((s) => s.kind === "Field" && s.name?.value === "cursor");
    if (own) cursorKey = responseKey(own);
    else if (selections.some((s) => s.kind === "Field" && responseKey(s) === "cursor")) cursorKey = "streamCursor";
    const added = { ...field("cursor"), ...(cursorKey === "cursor" ? undefined : { alias: name(cursorKey) }) };
    return {
      ...selection,
      arguments: [...others, { kind: "Argument", name: name("after"), value: variableNode(variable) }],
      selectionSet: { kind: "SelectionSet", selections: own ? selections : [...selections, added] },
    } as Node;
  };

  let result = visit(operation);
  if (!key) return null;
  const variables = result.variableDefinitions ?? [];
  if (!variables.some((v) => v.variable?.name?.value === variable)) {
    const type = { kind: "NamedType", name: name("Cursor") };
    const definition = { kind: "VariableDefinition", variable: variableNode(variable), type, directives: [] };
    result = { ...result, variableDefinitions: [...variables, definition as unknown as Node] };
  }
  return {
    // Without `loc`, from which clients would print the original text.
    document: {
      kind: "Document",
      definitions: definitions.map((d) => (d === operation ? result : (changed.get(d) ?? d))),
    },
    variable,
    cursor: (data) => {
      const event = (data as Record<string, Record<string, unknown> | null> | null | undefined)?.[key];
      const cursor = event?.[cursorKey];
      return typeof cursor === "string" ? cursor : undefined;
    },
  };
}

const responseKey = (field: Node): string => (field.alias ?? field.name)!.value;
const name = (value: string) => ({ kind: "Name", value });
const variableNode = (value: string) => ({ kind: "Variable", name: name(value) });
const field = (value: string) => ({ kind: "Field", name: name(value), arguments: [], directives: [] });

/**
 * Reads from a subscription's text what `resumable` reads from a document; null for queries and mutations. The text is
 * not changed: it must declare `$after` and select `cursor`.
 */
export function resumableText(query: string): Omit<Resumable<string>, "document"> | null {
  const text = query.replace(/"""[\s\S]*?"""|"(?:\\.|[^"\\\n])*"|#[^\n]*/g, "");
  const start = /(^|[}\s])subscription\b/.exec(text)?.index;
  if (start === undefined) return null;
  // The arguments of the stream, and the fields directly on its event: the selection may hold other cursors.
  let args = "";
  let fields = "";
  let depth = 0;
  let parentheses = 0;
  for (const sign of text.slice(start)) {
    if (sign === "(") parentheses++;
    else if (sign === ")") parentheses--;
    else if (parentheses > 0) args += depth === 1 ? sign : "";
    else if (sign === "{") depth++;
    else if (sign === "}" && --depth === 0) break;
    if (depth === 2 && parentheses === 0) fields += sign;
  }
  const variable = /\bafter\s*:\s*\$(\w+)/.exec(args)?.[1];
  const cursorKey = /(?:\b(\w+)\s*:\s*)?\bcursor\b(?!\s*:)/.exec(fields);
  if (!variable || !cursorKey) {
    throw new Error(
      "@errand/client: this subscription cannot be resumed. Declare the variable $after: Cursor, pass it to the stream " +
        `as after: $after, and select cursor on the event.\n${query}`,
    );
  }
  return {
    variable,
    cursor: (data) => {
      for (const event of Object.values((data ?? {}) as Record<string, unknown>)) {
        const cursor = (event as Record<string, unknown> | null)?.[cursorKey[1] ?? "cursor"];
        if (typeof cursor === "string") return cursor;
      }
      return undefined;
    },
  };
}

/** Values for the placeholders of a text. */
export type Values = Record<string, string | number>;

/**
 * Fills a text in. `{name}` is a placeholder; `{count, plural, one {# task} other {# tasks}}` chooses a form by the plural
 * rules of the language, and `#` in it is the number. `=0 {…}` is the form for exactly that number. It is the subset of
 * ICU messages that the catalogues need. A text with a fault is returned as it is.
 */
export function fill(text: string, values: Values, locale: string): string {
  if (!text.includes("{")) return text;
  return expand(text, values, locale, null);
}

function expand(text: string, values: Values, locale: string, hash: string | null): string {
  let result = "";
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (c === "#" && hash !== null) result += hash;
    else if (c !== "{") result += c;
    else {
      const end = closing(text, i);
      if (end < 0) return text;
      result += placeholder(text.slice(i + 1, end), values, locale);
      i = end;
    }
  }
  return result;
}

function placeholder(body: string, values: Values, locale: string): string {
  const plural = /^\s*(\w+)\s*,\s*plural\s*,/.exec(body);
  if (!plural) {
    const name = body.trim();
    const value = values[name] ?? `{${name}}`;
    return typeof value === "number" ? new Intl.NumberFormat(locale).format(value) : value;
  }
  const n = Number(values[plural[1]!] ?? 0);
  const forms = formsOf(body.slice(plural[0].length));
  const form = forms[`=${n}`] ?? forms[new Intl.PluralRules(locale).select(n)] ?? forms["other"] ?? "";
  return expand(form, values, locale, new Intl.NumberFormat(locale).format(n));
}

function formsOf(text: string): Record<string, string> {
  const forms: Record<string, string> = {};
  for (let i = 0; i < text.length; ) {
    const open = text.indexOf("{", i);
    const end = open < 0 ? -1 : closing(text, open);
    if (end < 0) break;
    forms[text.slice(i, open).trim()] = text.slice(open + 1, end);
    i = end + 1;
  }
  return forms;
}

/** Index of the brace that closes the one at `open`; -1 if there is none. */
function closing(text: string, open: number): number {
  let depth = 0;
  for (let i = open; i < text.length; i++) {
    if (text[i] === "{") depth++;
    else if (text[i] === "}" && --depth === 0) return i;
  }
  return -1;
}

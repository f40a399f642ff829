// Generates values of input types, as literals of a document and as JSON of variables. Some are wrong on purpose.
import { isEnumType, isInputObjectType, isListType, isNonNullType, isRequiredInputField } from 'graphql';

const integers = ['0', '-0', '1', '3', '-7', '2147483647', '2147483648', '-2147483648', '-2147483649',
  '9007199254740993', '9223372036854775808', '123456789012345678901234567890'];
const floats = ['1.0', '1.5', '0.1', '1e3', '-2.5E-3', '5e0', '1e19', '1e300'];
const dates = ['2026-11-25', '2026-11-25T17:00:00Z', '2026-02-30', ''];
const texts = ['', 'a', 'milk', '5', 'true', 'null', 'ALL', 'é', '😀', 'two words', 'tsk_x', '💩\u200d', 'x'.repeat(300)];

const literalTexts = [...texts.map((text) => JSON.stringify(text)), '"""block"""', '"""\n  two\n    lines\n"""', '""""""',
  '"""a \\""" b"""', '"\\u00e9"', '"\\uD83D\\uDE00"', '"\\u{1F600}"', '"\\t\\n\\/\\b"'];
// Values of every kind, for places that take few of them.
const anyLiteral = ['{}', '[]', '[{}]', '{a: 1}', '[[1]]', 'null', 'true', 'RED', 'ALL', '"a"', '1', '1.5', '{id: null}',
  '[null]', '""', '-1'];
const anyJSON = ['{}', '[]', '[{}]', '{"a":1}', '[[1]]', 'null', 'true', '"RED"', '"ALL"', '"a"', '1', '1.5', '[null]',
  '""', '"1"', '"true"', '-1', '{"id":null}', '{"__proto__":1}', '{"title":{}}'];

/** Generates values; wrong is the probability of a value of another kind. */
export class Values {
  constructor(rng, wrong) {
    this.rng = rng;
    this.wrong = wrong;
  }

  /** A literal of the type. variable(type) may return a variable in its place, or undefined. */
  literal(type, variable = () => undefined, depth = 0) {
    const { rng } = this;
    if (rng.chance(this.wrong)) return rng.pick(anyLiteral);
    const used = variable(type, depth);
    if (used !== undefined) return used;
    if (isNonNullType(type)) return this.literal(type.ofType, () => undefined, depth);
    if (rng.chance(0.06)) return 'null';
    if (isListType(type)) {
      if (rng.chance(0.15)) return this.literal(type.ofType, variable, depth + 1);
      const elements = Array.from({ length: rng.integer(3) }, () => this.literal(type.ofType, variable, depth + 1));
      return `[${elements.join(', ')}]`;
    }
    if (isInputObjectType(type)) {
      return `{${this.fields(type, depth).map((f) => `${f.name}: ${this.literal(f.type, variable, depth + 1)}`).join(', ')}}`;
    }
    if (isEnumType(type)) return rng.pick(type.getValues()).name;
    return this.scalar(type.name, literalTexts, true);
  }

  /** The JSON text of a variable of the type. */
  json(type, depth = 0) {
    const { rng } = this;
    if (rng.chance(this.wrong)) return rng.pick(anyJSON);
    if (isNonNullType(type)) return this.json(type.ofType, depth);
    if (rng.chance(0.1)) return 'null';
    if (isListType(type)) {
      if (rng.chance(0.15)) return this.json(type.ofType, depth + 1);
      const elements = Array.from({ length: rng.integer(3) }, () => this.json(type.ofType, depth + 1));
      return `[${elements.join(',')}]`;
    }
    if (isInputObjectType(type)) {
      const unique = new Map(this.fields(type, depth).map((f) => [f.name, this.json(f.type, depth + 1)]));
      return `{${[...unique].map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`;
    }
    if (isEnumType(type)) return JSON.stringify(rng.pick(type.getValues()).name);
    return this.scalar(type.name, [...texts.map((text) => JSON.stringify(text)), '"\\uD83D\\uDE00"'], false);
  }

  /** The fields of an input object that get a value: some missing, unknown or repeated. */
  fields(type, depth) {
    const { rng } = this;
    const all = Object.values(type.getFields());
    if (type.isOneOf && !rng.chance(this.wrong)) return [rng.pick(all)];
    const chosen = all.filter((f) => rng.chance(isRequiredInputField(f) ? 1 - this.wrong / 2 : depth > 2 ? 0.05 : 0.3));
    if (rng.chance(this.wrong / 3)) chosen.push({ name: rng.pick(['nope', 'titel', '__typename']), type: all[0].type });
    if (chosen.length > 0 && rng.chance(this.wrong / 4)) chosen.push(rng.pick(chosen));
    return chosen;
  }

  scalar(name, strings, literal) {
    const { rng } = this;
    switch (name) {
      case 'Int':
        return rng.chance(0.6) ? rng.pick(['0', '1', '2', '3', '10']) : rng.pick([...integers, ...floats]);
      case 'Float':
        return rng.pick([...integers, ...floats]);
      case 'Boolean':
        return rng.pick(['true', 'false']);
      case 'ID':
        return rng.pick([...strings, ...integers, ...(literal ? [] : ['1.0', '1e3', '1.5'])]);
      case 'Date':
      case 'DateTime':
        return rng.chance(0.8) ? JSON.stringify(rng.pick(dates)) : rng.pick(literal ? anyLiteral : anyJSON);
      case 'String':
        return rng.pick(strings);
      default:
        return rng.chance(0.7) ? rng.pick(strings) : rng.pick([...integers, ...(literal ? anyLiteral : anyJSON)]);
    }
  }
}

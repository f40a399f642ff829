// Generates requests from a schema: documents, operation names and variables. Most are nearly valid.
import {
  getNamedType, isAbstractType, isCompositeType, isNonNullType, isRequiredArgument,
  GraphQLNonNull, GraphQLBoolean, GraphQLString, getNullableType,
} from 'graphql';
import { Values } from './values.mjs';

// They end the session of the run, or start work in the background.
const excluded = ['deleteViewer', 'sendMessage', 'retryReply', 'exportViewer', 'approveToolCalls'];

/** Returns {query, operationName, variables}; variables is a JSON text or undefined. */
export function request(schema, rng) {
  const g = new Generator(schema, rng);
  return g.request();
}

class Generator {
  constructor(schema, rng) {
    this.schema = schema;
    this.rng = rng;
    // Half of the requests have hardly a fault, so that they are executed.
    this.wrong = rng.chance(0.5) ? 0.004 : 0.08;
    this.values = new Values(rng, this.wrong);
    this.fragments = [];
    this.budget = 40;
  }

  request() {
    const { rng } = this;
    const count = rng.chance(0.1) ? 2 : 1;
    const operations = Array.from({ length: count }, (_, i) => this.operation(count > 1 || rng.chance(0.3) ? `Op${i}` : ''));
    const parts = operations.map((operation) => operation.text);
    for (const fragment of this.fragments) if (!rng.chance(this.wrong / 2)) parts.push(fragment);
    if (rng.chance(this.wrong / 2)) parts.push(rng.pick([
      'fragment Unused on Task { id }', 'fragment F0 on Task { id }', 'type T { a: Int }', 'fragment Loop on Query { ...Loop }',
      'query Op0 { __typename }', '{ __typename }', 'extend type Query { a: Int }', 'fragment on on Query { __typename }',
    ]));
    let query = parts.join(rng.pick([' ', '\n', ' # comment\n', ',']));
    if (rng.chance(0.08)) query = this.damage(query);
    const request = { query };
    if (count > 1 ? rng.chance(0.95) : rng.chance(0.1)) {
      request.operationName = rng.chance(0.9) ? operations[0].name || 'Op0' : rng.pick(['', 'Nope']);
    }
    const variables = operations[0].variables;
    if (variables.length > 0 || rng.chance(0.1)) request.variables = this.variables(variables);
    return request;
  }

  operation(name) {
    const { rng, schema } = this;
    const kind = rng.pick(['query', 'query', 'query', 'query', 'query', 'mutation', 'subscription']);
    const type = { query: schema.getQueryType(), mutation: schema.getMutationType(), subscription: schema.getSubscriptionType() }[kind];
    this.declared = [];
    const fields = Array.from({ length: kind === 'query' ? 1 + rng.integer(3) : rng.chance(0.95) ? 1 : 2 }, () => this.selection(type, 0));
    if (kind === 'query' && rng.chance(0.06)) fields.push(this.introspection());
    const selections = fields.join(' ');
    const definitions = this.declared.filter(() => !rng.chance(this.wrong / 4)).map((v) => v.definition);
    if (rng.chance(this.wrong / 3)) definitions.push(`$unused: ${rng.pick(['Int', '[Nope]', 'Task', 'ID! = null'])}`);
    if (definitions.length > 0 && rng.chance(this.wrong / 4)) definitions.push(definitions[0]);
    const header = definitions.length > 0 ? `(${definitions.join(', ')})` : '';
    const short = kind === 'query' && name === '' && header === '' && rng.chance(0.5);
    return { name, variables: this.declared, text: `${short ? '' : `${kind} ${name}${header}`}{ ${selections} }` };
  }

  introspection() {
    const { rng, schema } = this;
    const name = this.values.literal(new GraphQLNonNull(GraphQLString), (type) => this.variable(type));
    return rng.chance(0.5)
      ? `__schema { ${this.selections(schema.getType('__Schema'), 3)} }`
      : `__type(name: ${rng.chance(0.5) ? '"Task"' : name}) { ${this.selections(schema.getType('__Type'), 2)} }`;
  }

  selection(type, depth) {
    const { rng } = this;
    this.budget--;
    if (depth > 0 || rng.chance(0.15)) {
      if (rng.chance(0.1)) return `... ${this.condition(type)}${this.directives()} { ${this.selections(this.narrowed, depth)} }`;
      if (rng.chance(0.08) && this.fragments.length < 3) return this.spread(type, depth);
    }
    return this.field(type, depth);
  }

  /** The type condition of a fragment, empty or of a type that is possible, most of the time. */
  condition(type) {
    const { rng, schema } = this;
    this.narrowed = type;
    if (rng.chance(0.4)) return '';
    if (isAbstractType(type)) this.narrowed = rng.pick(schema.getPossibleTypes(type));
    if (rng.chance(this.wrong)) {
      const other = rng.pick(Object.values(schema.getTypeMap()));
      if (isCompositeType(other)) this.narrowed = other;
      return `on ${rng.chance(0.2) ? 'Nope' : other.name}`;
    }
    return `on ${this.narrowed.name}`;
  }

  spread(type, depth) {
    const { rng } = this;
    const name = `F${this.fragments.length}`;
    this.fragments.push('');
    const condition = this.condition(type) || `on ${type.name}`;
    const at = this.fragments.length - 1;
    this.fragments[at] = `fragment ${name} ${condition}{ ${this.selections(this.narrowed, depth)} }`;
    return `...${rng.chance(this.wrong / 3) ? 'Missing' : name}${this.directives()}`;
  }

  selections(type, depth) {
    const { rng } = this;
    const count = this.budget > 0 && depth < 5 ? 1 + rng.integer(3) : 1;
    // The type name tells the comparison which type an abstract value has.
    const first = isAbstractType(type) ? ['__typename'] : [];
    return [...first, ...Array.from({ length: count }, () => this.selection(type, depth))].join(' ');
  }

  field(type, depth) {
    const { rng } = this;
    const fields = isCompositeType(type) && type.getFields ? Object.values(type.getFields()) : [];
    let usable = fields.filter((f) => !excluded.includes(f.name));
    if (depth > 3 || this.budget < 0) {
      const leaves = usable.filter((f) => !isCompositeType(getNamedType(f.type)));
      usable = leaves.length > 0 ? leaves : usable;
    }
    if (usable.length === 0 || rng.chance(0.05) || depth > 7) return `${this.alias()}__typename${this.directives()}`;
    if (rng.chance(this.wrong / 3)) return rng.pick(['nope', 'titel', '__schema { nope }', 'id { id }', '__typename { a }', '__type']);
    const field = rng.pick(usable);
    const parts = [this.alias(), field.name, this.arguments(field.args), this.directives()];
    const named = getNamedType(field.type);
    if (isCompositeType(named) !== rng.chance(this.wrong / 8)) parts.push(` { ${this.selections(named, depth + 1)} }`);
    return parts.join('');
  }

  /** An alias, seldom: equal ones of different fields conflict. */
  alias() {
    const { rng } = this;
    return rng.chance(0.12) ? `${rng.pick(['a', 'b', 'id', 'title', '__a'])}: ` : '';
  }

  arguments(args) {
    const { rng } = this;
    const chosen = args.filter((a) => rng.chance(isRequiredArgument(a) ? 1 - this.wrong / 2 : 0.3));
    const written = chosen.map((a) => `${a.name}: ${this.values.literal(a.type, (type, d) => this.variable(type, d === 0 ? a : undefined))}`);
    if (rng.chance(this.wrong / 4)) written.push(rng.pick(['nope: 1', 'first: 1', 'id: {}']));
    if (written.length > 0 && rng.chance(this.wrong / 4)) written.push(rng.pick(written));
    return written.length > 0 ? `(${written.join(rng.pick([', ', ' ', ',,']))})` : '';
  }

  directives() {
    const { rng } = this;
    if (!rng.chance(0.12)) return '';
    const directive = () => {
      if (rng.chance(this.wrong)) return rng.pick(['@nope', '@skip', '@deprecated', '@include(if: true, unless: 1)', '@skip(when: 1)', '@defer']);
      return `@${rng.pick(['skip', 'include'])}(if: ${this.values.literal(new GraphQLNonNull(GraphQLBoolean), (type) => this.variable(type))})`;
    };
    return ` ${directive()}${rng.chance(0.15) ? ` ${directive()}` : ''}`;
  }

  /** Uses a variable in a place of the type, a new one or one that was declared; undefined for a literal. */
  variable(type, argument) {
    const { rng } = this;
    if (!rng.chance(0.3)) return undefined;
    const same = this.declared.filter((v) => v.position === String(type));
    if (same.length > 0 && rng.chance(0.3)) return `$${rng.pick(same).name}`;
    if (this.declared.length > 0 && rng.chance(this.wrong)) return `$${rng.pick(this.declared).name}`;
    if (rng.chance(this.wrong / 4)) return '$undefined';
    const name = `${rng.pick(['v', 'b', 'x'])}${this.declared.length}`;
    const declared = this.declare(type, argument, name);
    this.declared.push(declared);
    return `$${name}`;
  }

  /** Declares a variable for a place: of its type, or nullable with a default value, or of another type. */
  declare(type, argument, name) {
    const { rng } = this;
    let declared = type;
    let fallback = '';
    if (isNonNullType(type) && (argument?.defaultValue !== undefined || rng.chance(0.4))) {
      declared = type.ofType;
      if (argument?.defaultValue === undefined || rng.chance(0.5)) fallback = ` = ${this.values.literal(declared)}`;
    } else if (rng.chance(0.25)) {
      fallback = ` = ${this.values.literal(declared)}`;
    } else if (!isNonNullType(type) && rng.chance(0.2)) {
      declared = new GraphQLNonNull(type);
    }
    let written = String(declared);
    if (rng.chance(this.wrong)) written = rng.pick(['Int', 'String', 'Boolean!', '[ID!]', 'Nope', 'Task', `[${written}]`, String(getNullableType(declared))]);
    return { name, type: declared, position: String(type), definition: `$${name}: ${written}${fallback}` };
  }

  /** The JSON text of the variables: some missing, null, wrong or not declared. */
  variables(declared) {
    const { rng } = this;
    const members = [];
    for (const variable of declared) {
      if (rng.chance(isNonNullType(variable.type) ? 0.03 : 0.25)) continue;
      members.push(`${JSON.stringify(variable.name)}:${rng.chance(0.1) ? 'null' : this.values.json(variable.type)}`);
    }
    if (rng.chance(0.05)) members.push('"extra":{"a":[1]}');
    return `{${members.join(',')}}`;
  }

  /** Damages a document: removes, repeats or inserts a piece. */
  damage(text) {
    const { rng } = this;
    const at = rng.integer(text.length + 1);
    const end = Math.min(text.length, at + 1 + rng.integer(4));
    const insert = rng.pick(['{', '}', '(', ')', '"', '"""', '$', '@', '...', '&', '|', '!', '=', ':', '1', '01', '1.', '.5', '1e', '-',
      '1a', '"\\uD800"', '"\\uDE00\\uD83D"', '"\\u{110000}"', '"\\u{D800}"', '"\\x"', '"\n"', '\ufeff', '\u0000', '\u0007', '#', '😀', 'é', '\t', ',', ' on ',
      'null', 'true', '\u2028', '\\', "'", '`', '?', '%', '"\\u12"', '{}', '()', '[]', '@skip(if: {})']);
    switch (rng.integer(3)) {
      case 0: return text.slice(0, at) + text.slice(end);
      case 1: return text.slice(0, at) + insert + text.slice(at);
      default: return text.slice(0, end) + text.slice(at);
    }
  }
}

// What graphql-js does with a request, and what the server did with it, in the same words.
import { parse, validate, specifiedRules, getVariableValues, execute, getOperationAST, GraphQLError, Kind } from 'graphql';

/** The class of the request: 'parse', 'validation', 'coercion' or 'executed', with the reason. */
export function expected(schema, request) {
  let document;
  try {
    document = parse(request.query);
  } catch (error) {
    return { class: 'parse', reason: error.message };
  }
  if (document.definitions.some((d) => d.kind !== Kind.OPERATION_DEFINITION && d.kind !== Kind.FRAGMENT_DEFINITION)) {
    return { class: 'parse', reason: 'a definition of the schema language' }; // the server's parser does not know them
  }
  const errors = validated(schema, document);
  if (errors.length > 0) return { class: 'validation', reason: errors[0].message };
  const operation = getOperationAST(document, request.operationName || undefined);
  if (!operation) return { class: 'coercion', reason: 'no such operation' };
  const given = request.variables === undefined ? {} : JSON.parse(request.variables);
  const { errors: invalid } = getVariableValues(schema, operation.variableDefinitions ?? [], given, { maxErrors: 5 });
  if (invalid) return { class: 'coercion', reason: invalid[0].message };
  return { class: 'executed', document, operation, given };
}

/** The validation errors. The rule about subscriptions throws for variables in @skip and @include, which have no value yet. */
function validated(schema, document) {
  try {
    return validate(schema, document, specifiedRules, { maxErrors: 5 });
  } catch {
    const rules = specifiedRules.filter((rule) => rule.name !== 'SingleFieldSubscriptionsRule');
    return validate(schema, document, rules, { maxErrors: 5 });
  }
}

const closed = new Set(['UNAUTHENTICATED', 'FORBIDDEN', 'NOT_FOUND', 'BAD_USER_INPUT', 'CONFLICT', 'RATE_LIMITED',
  'COMPLEXITY_LIMIT_EXCEEDED', 'GRAPHQL_PARSE_FAILED', 'GRAPHQL_VALIDATION_FAILED', 'SERVICE_UNAVAILABLE']);

/** The class of a response, or 'broken' for one that no request may have. */
export function actual({ status, body }) {
  const codes = (body.errors ?? []).map((error) => error.extensions?.code);
  const bad = codes.find((code) => !closed.has(code));
  if (codes.length > 0 && bad !== undefined) return { class: 'broken', reason: `code ${bad}: ${JSON.stringify(body.errors)}` };
  if ('data' in body) return { class: 'executed', reason: JSON.stringify(body.errors ?? []) };
  const [first] = body.errors ?? [];
  if (!first) return { class: 'broken', reason: `neither data nor errors: ${JSON.stringify(body)}` };
  const reason = `${status} ${JSON.stringify(first)}`;
  switch (first.extensions.code) {
    case 'GRAPHQL_PARSE_FAILED':
      return { class: first.locations ? 'parse' : 'broken', reason };
    case 'GRAPHQL_VALIDATION_FAILED':
      return { class: 'validation', reason };
    case 'COMPLEXITY_LIMIT_EXCEEDED':
      return { class: 'limit', reason };
    case 'BAD_USER_INPUT':
      if (status === 406) return { class: 'executed', reason }; // a subscription, which was accepted
      return { class: first.extensions.field ? 'coercion' : 'broken', reason };
    default:
      return { class: 'broken', reason };
  }
}

/**
 * Executes the operation with graphql-js over the server's own data. Returns undefined if the shape is the same: the
 * fields that @skip and @include keep, merged fields and their order. Otherwise returns the difference.
 */
export async function difference(schema, { document, operation, given }, data) {
  if (operation.operation === 'subscription') return undefined;
  const missing = [];
  const result = await execute({
    schema,
    document,
    operationName: operation.name?.value,
    variableValues: given,
    rootValue: data ?? {},
    fieldResolver: (source, _args, _context, info) => {
      if (!(info.path.key in source)) missing.push(info.path.key);
      return source[info.path.key] ?? null;
    },
    typeResolver: (value) => value.__typename,
  });
  const nulls = (result.errors ?? []).find((error) => error instanceof GraphQLError && /of (non-null|required) type|must not be null/.test(error.message));
  if (nulls) return { class: 'coercion', reason: nulls.message };
  // graphql-js would answer introspection from the schema and not from the server's data.
  if (data === null || /__schema|__type\b/.test(document.loc.source.body)) return undefined;
  if (missing.length > 0) return { class: 'shape', reason: `missing: ${missing}` };
  const want = JSON.stringify(result.data);
  return want === JSON.stringify(data) ? undefined : { class: 'shape', reason: `graphql-js: ${want}` };
}

import {
  getOperationAST,
  Kind,
  parse,
  valueFromASTUntyped,
  type DocumentNode,
  type FieldNode,
  type OperationDefinitionNode,
  type ValueNode,
} from "graphql";

type Variables = Record<string, any>;

/**
 * The operation to run, parsed from the document: for a moment after a change of tabs, GraphiQL still passes the
 * operation name of the previous tab. Empty if the document does not parse; the server then returns the syntax error.
 */
export function chosenOperation(
  query: string,
  operationName?: string | null,
): { document?: DocumentNode; operation?: OperationDefinitionNode } {
  try {
    const document = parse(query);
    const operation = getOperationAST(document, operationName) ?? getOperationAST(document);
    return { document, operation: operation ?? undefined };
  } catch {
    return {};
  }
}

/** The conversation id of the messageStream in an operation; undefined for other operations. */
export function streamedConversation(operation: OperationDefinitionNode, variables: Variables): string | undefined {
  return asId(argument(rootField(operation, "messageStream"), "conversationId"), variables);
}

export interface SentMessage {
  /** Undefined if the message starts a new conversation. */
  conversationId?: string;
  /** The variables with another conversation id; absent if no variable contains the id. */
  withConversation?(id: string): Variables;
}

/** The sendMessage in an operation; undefined for other operations. */
export function sentMessage(operation: OperationDefinitionNode, variables: Variables): SentMessage | undefined {
  const input = argument(rootField(operation, "sendMessage"), "input");
  if (input?.kind === Kind.VARIABLE) {
    const name = input.name.value;
    return {
      conversationId: variables[name]?.conversationId ?? undefined,
      withConversation: (id) => ({ ...variables, [name]: { ...variables[name], conversationId: id } }),
    };
  }
  if (input?.kind !== Kind.OBJECT) return undefined;
  const value = input.fields.find((field) => field.name.value === "conversationId")?.value;
  const conversationId = asId(value, variables);
  if (value?.kind !== Kind.VARIABLE) return { conversationId };
  return { conversationId, withConversation: (id) => ({ ...variables, [value.name.value]: id }) };
}

/** The name of the variable in the argument "after" of the operation's root field. */
export function cursorVariable(operation: OperationDefinitionNode): string | undefined {
  const [field] = operation.selectionSet.selections;
  const after = field?.kind === Kind.FIELD ? argument(field, "after") : undefined;
  return after?.kind === Kind.VARIABLE ? after.name.value : undefined;
}

function rootField(operation: OperationDefinitionNode, name: string): FieldNode | undefined {
  return operation.selectionSet.selections.find(
    (selection) => selection.kind === Kind.FIELD && selection.name.value === name,
  ) as FieldNode | undefined;
}

function argument(field: FieldNode | undefined, name: string): ValueNode | undefined {
  return field?.arguments?.find((argument) => argument.name.value === name)?.value;
}

function asId(value: ValueNode | undefined, variables: Variables): string | undefined {
  const id = value && valueFromASTUntyped(value, variables);
  return typeof id === "string" && id !== "" ? id : undefined;
}

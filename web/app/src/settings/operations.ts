/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
/** When changes by a tool need the user's approval. */
export type ApprovalMode =
  /** Before every change of an existing task. */
  | 'ASK'
  /** Never. */
  | 'AUTO'
  /**
   * Approval is needed to delete more than one task in a turn, to change more existing tasks than the server's limit (5 by
   * default), and, once the turn has read stored text, to delete a task that the user's message does not name.
   */
  | 'DEFAULT'
  /** The tool is refused. */
  | 'NEVER';

/** Input for createApiToken. */
export type CreateApiTokenInput = {
  /** Time from which the token is rejected. If left out, 90 days from now. */
  readonly expiresAt?: string | null | undefined;
  /** Name to recognise the token by, one line of at most 100 characters. */
  readonly name: string;
  /** Whether the token does not expire. It excludes `expiresAt`. */
  readonly neverExpires?: boolean | null | undefined;
  /** What the token may be used for: at least one scope, and none that the caller's own token lacks. */
  readonly scopes: ReadonlyArray<TokenScope>;
};

/** A scope of a token. */
export type TokenScope =
  /** `account`: shows and changes the account, manages API tokens, and deletes the account with all its data. */
  | 'ACCOUNT'
  /** `chat`: shows conversations and their streams, and sends messages to the agent. */
  | 'CHAT'
  /** `tasks:read`: shows tasks, their history and the stream of their changes. */
  | 'TASKS_READ'
  /** `tasks:write`: creates, changes and deletes tasks. */
  | 'TASKS_WRITE';

/** Whether an API token is valid. */
export type TokenStatus =
  /** The token is accepted. */
  | 'ACTIVE'
  /** The token has expired. */
  | 'EXPIRED'
  /** The token was revoked. */
  | 'REVOKED';

/** When changes by one tool need the user's approval. */
export type ToolApprovalInput = {
  /** The mode. */
  readonly mode: ApprovalMode;
  /** Name of the tool. */
  readonly tool: string;
};

/** Input for updateViewer. Fields that are left out stay unchanged. */
export type UpdateViewerInput = {
  /** When the agent's changes need approval. Tools that are not listed keep their mode. */
  readonly approvalPolicy?: ReadonlyArray<ToolApprovalInput> | null | undefined;
  /** Display name, at most 200 characters. */
  readonly name?: string | null | undefined;
  /** IANA time zone, such as `Europe/Berlin`. */
  readonly timeZone?: string | null | undefined;
  /** First day of the week. */
  readonly weekStart?: Weekday | null | undefined;
};

/** A number of days over which usage is summed. Days begin at midnight UTC. */
export type UsagePeriod =
  /** Today. */
  | 'DAY'
  /** Today and the 29 days before. */
  | 'MONTH'
  /** Today and the 6 days before. */
  | 'WEEK';

/** A day of the week. */
export type Weekday =
  /** Friday. */
  | 'FRIDAY'
  /** Monday. */
  | 'MONDAY'
  /** Saturday. */
  | 'SATURDAY'
  /** Sunday. */
  | 'SUNDAY'
  /** Thursday. */
  | 'THURSDAY'
  /** Tuesday. */
  | 'TUESDAY'
  /** Wednesday. */
  | 'WEDNESDAY';

export type SettingsQueryVariables = Exact<{
  period: UsagePeriod;
}>;


export type SettingsQuery = { readonly viewer: { readonly id: string, readonly approvalPolicy: ReadonlyArray<{ readonly tool: string, readonly mode: ApprovalMode }>, readonly usage: { readonly from: string, readonly resetsAt: string, readonly calls: number, readonly inputTokens: number, readonly outputTokens: number, readonly cachedTokens: number, readonly cost: number | null, readonly dailyTokenLimit: number | null } } };

export type UpdateViewerMutationVariables = Exact<{
  input: UpdateViewerInput;
}>;


export type UpdateViewerMutation = { readonly updateViewer: { readonly viewer: { readonly id: string, readonly name: string, readonly timeZone: string, readonly weekStart: Weekday, readonly approvalPolicy: ReadonlyArray<{ readonly tool: string, readonly mode: ApprovalMode }> } } | null };

export type ExportQueryVariables = Exact<{ [key: string]: never; }>;


export type ExportQuery = { readonly exportViewer: unknown };

export type DeleteViewerMutationVariables = Exact<{
  confirm: string;
}>;


export type DeleteViewerMutation = { readonly deleteViewer: { readonly deletedId: string } | null };

export type ApiTokensQueryVariables = Exact<{
  after?: string | null | undefined;
}>;


export type ApiTokensQuery = { readonly apiTokens: { readonly nodes: ReadonlyArray<{ readonly id: string, readonly name: string, readonly hint: string, readonly scopes: ReadonlyArray<TokenScope>, readonly status: TokenStatus, readonly createdAt: string, readonly expiresAt: string | null, readonly lastUsedAt: string | null, readonly revokedAt: string | null }>, readonly pageInfo: { readonly hasNextPage: boolean, readonly endCursor: string | null } } };

export type CreateApiTokenMutationVariables = Exact<{
  input: CreateApiTokenInput;
}>;


export type CreateApiTokenMutation = { readonly createApiToken: { readonly secret: string, readonly apiToken: { readonly id: string, readonly name: string } } | null };

export type RevokeApiTokenMutationVariables = Exact<{
  id: string;
}>;


export type RevokeApiTokenMutation = { readonly revokeApiToken: { readonly apiToken: { readonly id: string } } | null };

export class TypedDocumentString<TResult, TVariables>
  extends String
  implements DocumentTypeDecoration<TResult, TVariables>
{
  __apiType?: NonNullable<DocumentTypeDecoration<TResult, TVariables>['__apiType']>;
  private value: string;
  public __meta__?: Record<string, any> | undefined;

  constructor(value: string, __meta__?: Record<string, any> | undefined) {
    super(value);
    this.value = value;
    this.__meta__ = __meta__;
  }

  override toString(): string & DocumentTypeDecoration<TResult, TVariables> {
    return this.value;
  }
}

export const SettingsDocument = new TypedDocumentString(`
    query Settings($period: UsagePeriod!) {
  viewer {
    id
    approvalPolicy {
      tool
      mode
    }
    usage(period: $period) {
      from
      resetsAt
      calls
      inputTokens
      outputTokens
      cachedTokens
      cost
      dailyTokenLimit
    }
  }
}
    `) as unknown as TypedDocumentString<SettingsQuery, SettingsQueryVariables>;
export const UpdateViewerDocument = new TypedDocumentString(`
    mutation UpdateViewer($input: UpdateViewerInput!) {
  updateViewer(input: $input) {
    viewer {
      id
      name
      timeZone
      weekStart
      approvalPolicy {
        tool
        mode
      }
    }
  }
}
    `) as unknown as TypedDocumentString<UpdateViewerMutation, UpdateViewerMutationVariables>;
export const ExportDocument = new TypedDocumentString(`
    query Export {
  exportViewer
}
    `) as unknown as TypedDocumentString<ExportQuery, ExportQueryVariables>;
export const DeleteViewerDocument = new TypedDocumentString(`
    mutation DeleteViewer($confirm: String!) {
  deleteViewer(confirm: $confirm) {
    deletedId
  }
}
    `) as unknown as TypedDocumentString<DeleteViewerMutation, DeleteViewerMutationVariables>;
export const ApiTokensDocument = new TypedDocumentString(`
    query ApiTokens($after: Cursor) {
  apiTokens(first: 50, after: $after) {
    nodes {
      id
      name
      hint
      scopes
      status
      createdAt
      expiresAt
      lastUsedAt
      revokedAt
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
    `) as unknown as TypedDocumentString<ApiTokensQuery, ApiTokensQueryVariables>;
export const CreateApiTokenDocument = new TypedDocumentString(`
    mutation CreateApiToken($input: CreateApiTokenInput!) {
  createApiToken(input: $input) {
    apiToken {
      id
      name
    }
    secret
  }
}
    `) as unknown as TypedDocumentString<CreateApiTokenMutation, CreateApiTokenMutationVariables>;
export const RevokeApiTokenDocument = new TypedDocumentString(`
    mutation RevokeApiToken($id: ID!) {
  revokeApiToken(id: $id) {
    apiToken {
      id
    }
  }
}
    `) as unknown as TypedDocumentString<RevokeApiTokenMutation, RevokeApiTokenMutationVariables>;
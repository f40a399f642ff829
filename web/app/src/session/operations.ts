/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
/** Kind of a way to sign in. */
export type AuthMethodKind =
  /** Development only: POST `{"user":"NAME"}` to `path` returns a token for any name, without a password. */
  | 'DEVELOPMENT'
  /** Tokens of an identity provider, which the client obtains from it. */
  | 'IDENTITY_PROVIDER'
  /**
   * Built-in accounts: `path` is the beginning of the paths that sign in with a password or a passkey, such as
   * `POST sign-in`.
   */
  | 'LOCAL'
  /** OpenID Connect: open `path` in the browser. It returns to the page, signed in, from the provider. */
  | 'OIDC';

export type SignInMethodsQueryVariables = Exact<{ [key: string]: never; }>;


export type SignInMethodsQuery = { readonly serverInfo: { readonly auth: { readonly setUpOpen: boolean, readonly methods: ReadonlyArray<{ readonly kind: AuthMethodKind, readonly issuer: string | null, readonly path: string | null, readonly betterAuth: string | null }> } } };

export type TimeZoneQueryVariables = Exact<{ [key: string]: never; }>;


export type TimeZoneQuery = { readonly viewer: { readonly timeZone: string } };

export type SetTimeZoneMutationVariables = Exact<{
  timeZone: string;
}>;


export type SetTimeZoneMutation = { readonly updateViewer: { readonly viewer: { readonly timeZone: string } } | null };

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

export const SignInMethodsDocument = new TypedDocumentString(`
    query SignInMethods {
  serverInfo {
    auth {
      methods {
        kind
        issuer
        path
        betterAuth
      }
      setUpOpen
    }
  }
}
    `) as unknown as TypedDocumentString<SignInMethodsQuery, SignInMethodsQueryVariables>;
export const TimeZoneDocument = new TypedDocumentString(`
    query TimeZone {
  viewer {
    timeZone
  }
}
    `) as unknown as TypedDocumentString<TimeZoneQuery, TimeZoneQueryVariables>;
export const SetTimeZoneDocument = new TypedDocumentString(`
    mutation SetTimeZone($timeZone: String!) {
  updateViewer(input: {timeZone: $timeZone}) {
    viewer {
      timeZone
    }
  }
}
    `) as unknown as TypedDocumentString<SetTimeZoneMutation, SetTimeZoneMutationVariables>;
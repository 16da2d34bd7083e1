/**
 * The responses of the API as a client declares them. They are not validated; a test that reads a field shows whether
 * it exists. One type for all, because each response has some of the fields.
 */
export interface Wire {
  readonly id: string;
  readonly status: string;
  readonly identityId: string;
  readonly breakGlass: boolean;
  readonly policies: readonly { readonly name: string }[];
  readonly requestedAt: string;
  readonly expiresAt: string;
  readonly startedAt: string;
  readonly endedAt: string;
  readonly approvalDeadline: string;
  readonly extends: string | null;
  readonly revision: string;
  readonly approvers: readonly {
    readonly identityId: string;
    readonly email: string;
    readonly stage: number;
    readonly status: string;
  }[];
  readonly approvals: readonly {
    readonly stage: number;
    readonly required: number;
    readonly given: number;
  }[];
  readonly grant: {
    readonly id: string;
    readonly expiresAt: string;
    readonly targets: readonly {
      readonly connector: string;
      readonly object: string;
      readonly state: string;
    }[];
  } | null;
  readonly credential: {
    readonly id: string;
    readonly token: string;
    readonly expiresAt: string;
    readonly targets: readonly {
      readonly connector: string;
      readonly username: string;
      readonly secret: string | null;
    }[];
  };
  /** Of a new API key. */
  readonly token: string;
  /** Of a list. */
  readonly data: readonly Wire[];
  readonly nextCursor: string | null;
  readonly name: string;
  readonly version: number;
  readonly active: boolean;
  /** Of a problem document. */
  readonly code: string;
  readonly detail: string;
  readonly existing: string;
  /** Of the audit's verification. */
  readonly ok: boolean;
  readonly events: number;
}

export function jsonOf(headers: Headers, text: string): Wire {
  const isJson = /json/.test(headers.get("content-type") ?? "") && text !== "";
  return JSON.parse(isJson ? text : "{}");
}

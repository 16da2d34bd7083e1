import type { CredentialRecord, StartedGrant } from "../../../core/access/grant.ts";
import { makeId } from "../../../core/values/ids.ts";
import { formatInstant } from "../../../core/values/time.ts";
import { formatToken } from "../../../core/values/token-format.ts";
import type { ShownCredential } from "../../decisions/idempotency.ts";
import type { Runtime } from "../../ports/runtime.ts";
import type { CredentialTarget, CredentialView } from "../../views/request-view.ts";

/** A fresh token, and the record of it that is stored. */
export interface MintedToken {
  readonly token: string;
  readonly record: CredentialRecord;
}

export function mintToken({ idSuffix, sha256, tokenSecret, now }: Runtime): MintedToken {
  const token = formatToken("jit", tokenSecret());
  return {
    token,
    record: {
      id: makeId("credential", idSuffix()),
      hash: sha256(token),
      last4: token.slice(-4),
      issuedAt: now(),
    },
  };
}

/** What the owner is shown, once. */
export function credentialView(
  grant: StartedGrant,
  token: string,
  targets: readonly CredentialTarget[],
): CredentialView {
  return { id: grant.credential.id, token, expiresAt: formatInstant(grant.expiresAt), targets };
}

/** What is kept of it: everything except the secrets. */
export function shownCredential(grant: StartedGrant, targets: readonly CredentialTarget[]): ShownCredential {
  const { token: _, ...kept } = credentialView(
    grant,
    "",
    targets.map((one) => ({ ...one, secret: null })),
  );
  return { ...kept, tokenShown: true };
}

import { errors, jwtVerify, type JWTPayload } from "jose";
import { minuteMs } from "../../../core/values/time.ts";
import type { Activity } from "../connection/activity.ts";
import type { Cloud } from "../connection/cloud.ts";
import type { SigningKeys } from "./signing-keys.ts";
import { isTrustedHost } from "./trusted-url.ts";

/** The content of a valid token. */
export interface Proof {
  /** The address that answers to this activity may be sent to. */
  readonly serviceUrl: string;
}

/** Why a call is rejected. Only the log gets the reason; the caller does not. */
export interface Rejected {
  readonly rejected: string;
}

export interface AuthenticationSettings {
  readonly appId: string;
  /** In lower case. */
  readonly tenantId: string;
  readonly serviceUrlHosts: readonly string[];
}

/** The tolerated difference between our clock and Microsoft's. */
const skewSeconds = (5 * minuteMs) / 1_000;
/** Real tokens have about 1,000 characters. */
const tokenLengthMax = 8_000;

/**
 * Checks that a call comes from Teams: first its token, then that the token belongs to the activity. It runs before the
 * SDK and is stricter. With one issuer, one algorithm and one channel it rejects tokens of the emulator, of Direct Line,
 * and every other Entra token for our app.
 */
export function createAuthentication(
  settings: AuthenticationSettings,
  cloud: Cloud,
  keys: SigningKeys,
  now: () => number,
) {
  return {
    /** Validates the token of the `Authorization` header; the body is not needed for it. */
    async proofOf(authorization: string | undefined): Promise<Proof | Rejected> {
      const token = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/.exec(authorization ?? "")?.[1];
      if (token === undefined) return { rejected: "no_token" };
      if (token.length > tokenLengthMax) return { rejected: "token_too_long" };
      try {
        const { payload } = await jwtVerify(token, ({ kid }) => keyFor(keys, kid), {
          algorithms: ["RS256"],
          issuer: cloud.issuer,
          audience: settings.appId,
          requiredClaims: ["exp"],
          clockTolerance: skewSeconds,
          currentDate: new Date(now()),
        });
        return serviceUrlOf(payload, settings.appId);
      } catch (error) {
        return { rejected: rejectionOf(error) };
      }
    },

    /** Checks that the token was issued for this activity. */
    verify({ serviceUrl }: Proof, activity: Activity): Rejected | undefined {
      if (activity.channelId !== "msteams") return { rejected: "channel" };
      if (activity.serviceUrl !== serviceUrl) return { rejected: "service_url" };
      if (!isTrustedHost(serviceUrl, settings.serviceUrlHosts)) return { rejected: "service_host" };
      return undefined;
    },

    /** Whether both fields that name a tenant name ours. */
    isOurTenant({ channelData, conversation }: Activity): boolean {
      const named = [channelData?.tenant?.id, conversation?.tenantId];
      return named.every((one) => one?.toLowerCase() === settings.tenantId);
    },
  };
}

export type Authentication = ReturnType<typeof createAuthentication>;

class NotEndorsed extends Error {}

async function keyFor(keys: SigningKeys, kid: string | undefined) {
  const found = kid === undefined ? undefined : await keys.find(kid);
  if (found === undefined) throw new errors.JWKSNoMatchingKey();
  if (!found.endorsements.includes("msteams")) throw new NotEndorsed();
  return found.key;
}

function serviceUrlOf(payload: JWTPayload, appId: string): Proof | Rejected {
  const { aud } = payload;
  if (aud !== appId) return { rejected: "claim_aud" };
  const serviceUrl = payload["serviceurl"] ?? payload["serviceUrl"];
  return typeof serviceUrl === "string" ? { serviceUrl } : { rejected: "service_url" };
}

function rejectionOf(error: unknown): string {
  if (error instanceof NotEndorsed) return "not_endorsed";
  if (error instanceof errors.JWTExpired) return "expired";
  if (error instanceof errors.JWTClaimValidationFailed) return `claim_${error.claim}`;
  return error instanceof errors.JOSEError ? error.code.toLowerCase() : "keys_unavailable";
}

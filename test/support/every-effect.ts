import type { Effect } from "../../src/core/effects/effects.ts";
import { at, ids } from "./fixtures.ts";

const account = { surface: "slack", team: "T0", user: "U0" } as const;
const addressee = { surface: "slack", address: "D0", readerId: ids.identity("lead") } as const;
const about = {
  topic: "request",
  requestId: ids.request("a"),
  notice: "submitted",
  audience: "approver",
} as const;

/** One effect of each kind. */
export const everyEffect: { readonly [K in Effect["kind"]]: Extract<Effect, { readonly kind: K }> } = {
  announce: {
    kind: "announce",
    requestId: ids.request("a"),
    notices: [{ notice: "submitted", people: [ids.identity("lead")] }],
  },
  announce_key: { kind: "announce_key", keyId: ids.key("a"), identityId: ids.identity("dev") },
  announce_key_expiry: { kind: "announce_key_expiry", keyId: ids.key("a"), identityId: ids.identity("dev") },
  announce_ending: {
    kind: "announce_ending",
    requestId: ids.request("a"),
    grantId: ids.grant("a"),
    expiresAt: at(60),
  },
  request_link: {
    kind: "request_link",
    to: [ids.identity("admin")],
    account,
    displayName: "Dev",
    email: null,
    candidateId: null,
  },
  announce_waiting: { kind: "announce_waiting", identityId: ids.identity("lead"), after: 0 },
  announce_link: { kind: "announce_link", identityId: ids.identity("dev"), account, byId: null },
  alert_admins: { kind: "alert_admins", alert: { name: "disk_full" } },
  check_delivery: { kind: "check_delivery", requestId: ids.request("a"), lost: null },
  update_card: { kind: "update_card", requestId: ids.request("a"), audience: "approver", ...addressee },
  send_note: { kind: "send_note", about, ...addressee },
  update_note: { kind: "update_note", deliveryId: "d", about, ...addressee },
  links_made: { kind: "links_made", accounts: [account] },
  review_approvers: { kind: "review_approvers", change: null, after: 0 },
  end_access_of: { kind: "end_access_of", identityId: ids.identity("dev") },
  provision: { kind: "provision", grantId: ids.grant("a"), connector: "db" },
  take_back: { kind: "take_back", grantId: ids.grant("a"), connector: "db" },
};

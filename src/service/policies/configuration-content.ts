import type { PolicyId } from "../../core/values/ids.ts";
import type { ServedAccess } from "../../core/policy/known-names.ts";
import type { Identity } from "../../core/values/identity.ts";
import type { Policy, Rules } from "../../core/policy/policy.ts";

/** The content of the configuration file, validated. */
export interface FileContent {
  readonly identities: readonly Omit<Identity, "managedBy" | "listed" | "enabled" | "chatLinks">[];
  readonly policies: readonly (Omit<Policy, "id" | "version" | "managedBy"> & { readonly id: PolicyId })[];
  readonly rules: Rules;
  /** What the connectors serve; absent without connectors. */
  readonly connectors?: readonly ServedAccess[];
}

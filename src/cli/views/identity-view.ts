import type { IdentityResponse } from "../api/api-schemas.ts";
import { fields } from "./table.ts";

/** Formats one person or program. */
export function formatIdentity({ id, kind, name, email, groups, active }: IdentityResponse): string {
  return fields([
    ["Identity", id],
    ["Kind", kind],
    ["Name", name],
    ["E-mail", email],
    ["Groups", groups.join(", ")],
    ["Active", active ? "yes" : "no"],
  ]);
}

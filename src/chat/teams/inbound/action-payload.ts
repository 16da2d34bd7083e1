import { z } from "zod";
import { pageOf } from "../../../wording/labels.ts";

/** The data of a pressed button. It is a claim about what its reader saw, so it never decides anything by itself. */
const actionPayloadSchema = z.looseObject({
  verb: z.string().max(60),
  request: z.string().max(200).optional(),
  revision: z.string().max(200).optional(),
  account: z.string().max(600).optional(),
  identity: z.string().max(200).optional(),
  ref: z.string().max(800).optional(),
});
export type ActionPayload = z.infer<typeof actionPayloadSchema>;

export function parseActionPayload(data: unknown): ActionPayload | undefined {
  return actionPayloadSchema.safeParse(data).data;
}

/** Opens the request form; a message extension has no button that could carry it. */
export const requestFormPayload: ActionPayload = { verb: "menu:request_access" };

/** `menu:home:2` → a menu's button, named home, for page 2. */
export function verbPartsOf({ verb }: ActionPayload): {
  readonly kind: string;
  readonly name: string;
  readonly page: number;
} {
  const [kind = "", name = "", page] = verb.split(":");
  return { kind, name, page: pageOf(page) };
}

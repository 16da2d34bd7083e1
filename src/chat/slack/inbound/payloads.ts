import { z } from "zod";
import type { DialogValues } from "../../conversation/dialog.ts";

/*
 * What we read of Slack's payloads: ids and what was typed. Everything else in them is passed over, for it is Slack's to
 * change; what is read here has to be as it is written here.
 */

const id = z.string().min(1).max(100);
const team = z.object({ id }).nullish();
const enterprise = z.object({ id }).nullish();
const user = z.object({ id, team_id: id.optional(), name: z.string().max(200).optional() });

/** A slash command. */
export const slashCommand = z.object({
  team_id: id,
  enterprise_id: id.optional(),
  user_id: id,
  user_name: z.string().max(200).optional(),
  text: z.string().max(8_000).default(""),
  trigger_id: z.string().max(200),
});

const selected = z.object({ value: z.string().max(200) });
const state = z.object({
  values: z.record(
    z.string(),
    z.record(
      z.string(),
      z.object({
        type: z.string(),
        value: z.string().max(10_000).nullish(),
        selected_option: selected.nullish(),
        selected_options: z.array(selected).max(100).nullish(),
      }),
    ),
  ),
});

export const view = z.object({
  id: id.optional(),
  type: z.enum(["modal", "home"]),
  hash: z.string().max(200).optional(),
  callback_id: z.string().max(255).default(""),
  private_metadata: z.string().max(3_000).default(""),
  state: state.optional(),
});
export type View = z.output<typeof view>;

const press = z.object({
  action_id: z.string().max(255),
  block_id: z.string().max(255).optional(),
  value: z.string().max(2_000).default(""),
});

/** A button pressed or a field changed. */
export const blockActions = z.object({
  team,
  enterprise,
  user,
  trigger_id: z.string().max(200),
  container: z.object({
    type: z.string(),
    message_ts: z.string().max(50).optional(),
    channel_id: id.optional(),
    is_ephemeral: z.boolean().optional(),
  }),
  /** Answers there are visible to this person only. Absent for presses in a modal. */
  response_url: z.string().max(2_000).optional(),
  view: view.optional(),
  actions: z.array(press).min(1).max(10),
});

export type BlockActions = z.output<typeof blockActions>;

export const viewSubmission = z.object({
  team,
  enterprise,
  user,
  trigger_id: z.string().max(200).optional(),
  view,
});

export const shortcut = z.object({ team, enterprise, user, trigger_id: z.string().max(200) });

/** Typing in a field that searches its options. */
export const suggestion = z.object({ team, enterprise, user, value: z.string().max(500).default("") });

/** The values of a form, by field. */
export function valuesOf({ state: typed }: View): DialogValues {
  const values: Record<string, string | readonly string[]> = {};
  for (const [field, actions] of Object.entries(typed?.values ?? {})) {
    for (const one of Object.values(actions)) {
      if (one.selected_options !== null && one.selected_options !== undefined) {
        values[field] = one.selected_options.map((option) => option.value);
      } else {
        const text = one.selected_option?.value ?? one.value;
        if (text !== null && text !== undefined) values[field] = text;
      }
    }
  }
  return values;
}

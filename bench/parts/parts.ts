import type { Part } from "../part.ts";
import { measureAudit } from "./audit.ts";
import { measureCommit } from "./commit.ts";
import { measureIntrospection } from "./introspect.ts";
import { measureLifecycles } from "./lifecycle.ts";
import { measurePolicies } from "./policies.ts";
import { measureSlack } from "./slack.ts";
import { measureStart } from "./start.ts";
import { measureSweep } from "./sweep.ts";

/** Every part by its name for `npm run bench -- NAME`. */
export const parts: Readonly<Record<string, Part>> = {
  introspect: measureIntrospection,
  commit: measureCommit,
  lifecycle: measureLifecycles,
  policies: measurePolicies,
  sweep: measureSweep,
  audit: measureAudit,
  slack: measureSlack,
  start: measureStart,
};

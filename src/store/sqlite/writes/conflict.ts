import type { CommitResult } from "../../../service/ports/store.ts";

/** Why a step cannot be written. */
export type Conflict = Exclude<CommitResult, { ok: true }>;

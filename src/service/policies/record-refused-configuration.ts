import { maskTokens } from "../../core/values/mask-tokens.ts";
import { configurationLoader } from "./configuration-service.ts";
import type { ServiceContext } from "../decisions/load-facts.ts";
import { recordOnly } from "../decisions/decide-and-commit.ts";

/** How many problems one record lists; the rest are counted. */
const problemsMax = 20;
const problemLengthMax = 500;

/** Records that a changed configuration was rejected. @throws StoreUnavailable */
export async function recordRefusedConfiguration(
  { store, runtime }: Pick<ServiceContext, "store" | "runtime">,
  file: string,
  problems: readonly string[],
): Promise<void> {
  const listed = problems.slice(0, problemsMax).map((one) => maskTokens(one).text.slice(0, problemLengthMax));
  const entry = {
    at: runtime.now(),
    action: "config.refused",
    actor: configurationLoader,
    data: { file, problems: listed, count: problems.length },
  } as const;
  await store.commit(recordOnly([entry]));
}

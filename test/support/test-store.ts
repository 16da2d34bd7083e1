import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { packageRoot } from "../../src/app/package-root.ts";
import type { Store } from "../../src/service/ports/store.ts";
import { openStore } from "../../src/store/open-store.ts";

// The one place where the tests outside test/store choose the store they run on.

/** A folder that is removed after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "jit-store-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Opens the store whose data lies in `folder`. The caller closes it. */
export async function openStoreIn(folder: string): Promise<Store> {
  return openStore({
    databaseFile: join(folder, "data", "jit.db"),
    packageRoot,
    onFatal: (error) => {
      throw error;
    },
  });
}

/** A store that is closed after the test. */
export async function openTestStore(folder: string = temporaryFolder()): Promise<Store> {
  const store = await openStoreIn(folder);
  onTestFinished(() => store.close());
  return store;
}

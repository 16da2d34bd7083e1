import { describe } from "vitest";
import type { Store } from "../../../src/service/ports/store.ts";
import { addressContract } from "./address-contract.ts";
import { auditContract } from "./audit-contract.ts";
import { clockContract } from "./clock-contract.ts";
import { commitContract } from "./commit-contract.ts";
import { counterContract } from "./counter-contract.ts";
import { cursorContract } from "./cursor-contract.ts";
import { directoryContract } from "./directory-contract.ts";
import { filterContract } from "./filter-contract.ts";
import { grantContract } from "./grant-contract.ts";
import { listContract } from "./list-contract.ts";
import { outboxContract } from "./outbox-contract.ts";
import { rulebookContract } from "./rulebook-contract.ts";
import { targetContract } from "./target-contract.ts";

/** Opens an empty store. It is closed and removed after the test. */
export type OpenEmptyStore = () => Promise<Store>;

/** What every store must do, whatever database it uses. */
export function storeContract(name: string, open: OpenEmptyStore): void {
  describe(`${name}: a step is written whole or not at all`, () => {
    commitContract(open);
  });
  describe(`${name}: limits and names`, () => {
    counterContract(open);
  });
  describe(`${name}: grants and credentials`, () => {
    grantContract(open);
  });
  describe(`${name}: targets`, () => {
    targetContract(open);
  });
  describe(`${name}: lists of requests`, () => {
    listContract(open);
    filterContract(open);
  });
  describe(`${name}: people and keys`, () => {
    directoryContract(open);
  });
  describe(`${name}: the rulebook`, () => {
    rulebookContract(open);
  });
  describe(`${name}: the outbox`, () => {
    outboxContract(open);
  });
  describe(`${name}: addresses on chat platforms`, () => {
    addressContract(open);
  });
  describe(`${name}: the audit log`, () => {
    auditContract(open);
  });
  describe(`${name}: the time of the last commit`, () => {
    clockContract(open);
  });
  describe(`${name}: cursors of the audit log`, () => {
    cursorContract(open);
  });
}

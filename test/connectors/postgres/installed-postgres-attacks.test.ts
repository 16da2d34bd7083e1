import { leavesNothingBehind } from "../../support/leftover-processes.ts";
import { testHolderAttacks } from "./postgres-attacks.ts";
import { installedPostgres } from "../support/postgres-server.ts";

leavesNothingBehind();
testHolderAttacks(installedPostgres());

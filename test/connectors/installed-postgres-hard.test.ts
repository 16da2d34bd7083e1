import { leavesNothingBehind } from "../support/left-behind.ts";
import { isHardOnPostgres } from "./postgres-contract.ts";
import { installedPostgres } from "./support/postgres-server.ts";

leavesNothingBehind();
isHardOnPostgres(installedPostgres());

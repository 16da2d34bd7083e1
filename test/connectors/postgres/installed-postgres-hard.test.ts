import { leavesNothingBehind } from "../../support/leftover-processes.ts";
import { isHardOnPostgres } from "./postgres-contract.ts";
import { installedPostgres } from "../support/postgres-server.ts";

leavesNothingBehind();
isHardOnPostgres(installedPostgres());

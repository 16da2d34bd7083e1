import { leavesNothingBehind } from "../support/left-behind.ts";
import { keepsTheContract } from "./connector-contract.ts";
import { isHardOnPostgres } from "./postgres-contract.ts";
import { staysWholeOnPostgres } from "./postgres-interruptions.ts";
import { installedPostgres } from "./support/postgres-server.ts";
import { postgresKind } from "./support/postgres-lab.ts";

leavesNothingBehind();
isHardOnPostgres(installedPostgres());
keepsTheContract(postgresKind(installedPostgres()));
staysWholeOnPostgres(installedPostgres());

import { leavesNothingBehind } from "../support/left-behind.ts";
import { keepsTheContract } from "./connector-contract.ts";
import { isHardOnPostgres } from "./postgres-contract.ts";
import { staysWholeOnPostgres } from "./postgres-interruptions.ts";
import { embeddedPostgres } from "./support/postgres-server.ts";
import { postgresKind } from "./support/postgres-lab.ts";

leavesNothingBehind();
isHardOnPostgres(embeddedPostgres());
keepsTheContract(postgresKind(embeddedPostgres()));
staysWholeOnPostgres(embeddedPostgres());

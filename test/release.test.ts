import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkPackage, createPackageFromTarballData, type Problem } from "@arethetypeswrong/core";
import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { publint } from "publint";
import { type Member, membersIn, root, sh } from "./workspace.ts";

/**
 * What a user gets: each package built, packed, and installed from its tarball into an empty project. Nothing here needs
 * the network: third-party dependencies are links to those of this workspace.
 */
const packages = membersIn("packages");
const programs = membersIn("apps").filter(({ manifest }) => !manifest.private);
const published = [...packages, ...programs];
const folder = realpathSync(mkdtempSync(join(tmpdir(), "magic-mask-release-")));
const project = join(folder, "project");
const MINUTES = 60_000;
jest.setTimeout(2 * MINUTES);

const tarball = ({ manifest: { name, version } }: Member) =>
  `${name.replace("@", "").replace("/", "-")}-${version}.tgz`;
const bytesOf = (member: Member) => new Uint8Array(readFileSync(join(folder, tarball(member))));
const specifiers = packages.flatMap(({ manifest }) =>
  Object.keys(manifest.exports).map((subpath) => manifest.name + subpath.slice(1)),
);

beforeAll(() => {
  sh("turbo run build --output-logs=errors-only");
  const filters = published.map(({ manifest }) => `--filter ${manifest.name}`).join(" ");
  sh(`pnpm --recursive ${filters} pack --pack-destination "${folder}"`);
}, 10 * MINUTES);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each(published)("the tarball of $manifest.name", (member) => {
  it("holds a build, a README and the licence, and no sources or tests", () => {
    const files = sh(`tar -tzf ${tarball(member)}`, folder)
      .trim()
      .replaceAll("package/", "")
      .split("\n");
    expect(files).toEqual(expect.arrayContaining(["LICENSE", "README.md", "package.json"]));
    expect(files.filter((file) => file.startsWith("dist/")).length).toBeGreaterThan(0);
    expect(files.filter((file) => file.startsWith("src/") || file.includes(".test."))).toEqual([]);
  });

  it("satisfies publint", async () => {
    const { messages } = await publint({ pack: { tarball: bytesOf(member).buffer }, strict: true, level: "error" });
    expect(messages).toEqual([]);
  });
});

describe.each(packages)("the types of $manifest.name", (member) => {
  it("resolve for import and for require", async () => {
    const analysis = await checkPackage(createPackageFromTarballData(bytesOf(member)));
    expect(analysis.types).toEqual({ kind: "included" });
    // Resolution as before Node 12 knows no subpaths.
    const isOld = (problem: Problem) => "resolutionKind" in problem && problem.resolutionKind === "node10";
    expect(analysis.types && analysis.problems.filter((problem) => !isOld(problem))).toEqual([]);
  });
});

describe("the build of the command line", () => {
  it("trains on worker threads as it does on none", () => {
    const small =
      "--env-id=tictactoe_v0 --num-envs=16 --total-timesteps=3000 posthoc.steps=500 posthoc.epochs=1 posthoc.headSteps=10";
    const [none, two] = [0, 2].map((workers) => {
      const command = `node apps/trainer/dist/main.js train ${small} --workers=${workers} --json --out="${folder}"`;
      return JSON.parse(sh(command)).record.trajectoryHash;
    });
    expect(two).toBe(none);
  });
});

describe("the build of the command line's studies", () => {
  it("come to the same on one worker process and on two", () => {
    const axes = "--axis environment=planted_v0 --axis seed=1,2 --axis budget=300 --axis mode=none,all";
    const small =
      "training.totalSteps=2000 evaluation.states=20 evaluation.rollouts=2 posthoc.epochs=1 posthoc.headSteps=10";
    const [one, two] = [1, 2].map((workers) => {
      const kept = `--cache="${folder}/studies-${workers}" --out="${folder}/study-${workers}"`;
      const command = `node apps/trainer/dist/main.js study communication --quick ${axes} ${small} ${kept}`;
      return JSON.parse(sh(`${command} --workers=${workers} --json`));
    });
    expect(two.digest).toBe(one.digest);
    expect(one.failures).toEqual([]);
  });
});

describe("the build of the command line's page", () => {
  it("has all that it is made of, in the build and in the tarball", () => {
    const program = "node apps/trainer/dist/main.js";
    const small =
      "--env-id=tictactoe_v0 --num-envs=16 --total-timesteps=1000 posthoc.steps=500 posthoc.epochs=1 posthoc.headSteps=10";
    const { path } = JSON.parse(sh(`${program} train ${small} --workers=0 --json --out="${folder}"`));
    const { page } = JSON.parse(sh(`${program} explain "${path}" --moments 1 --rollouts 2 --json`));
    expect(readFileSync(page, "utf8")).toMatch(/^<!doctype html>/);
    const files = sh(`tar -tzf ${tarball(programs[0])}`, folder).split("\n");
    const wanted = readdirSync(join(root, "apps/trainer/page")).filter((file) => file !== "tsconfig.json");
    expect(files.filter((file) => file.startsWith("package/page/")).sort()).toEqual(
      wanted.map((file) => `package/page/${file}`).sort(),
    );
  });
});

describe("an empty project with every tarball installed", () => {
  beforeAll(() => {
    const tarballs = Object.fromEntries(
      published.map((member) => [member.manifest.name, `file:${join(folder, tarball(member))}`]),
    );
    const links = published.flatMap((member) =>
      Object.keys(member.manifest.dependencies ?? {})
        .filter((name) => !(name in tarballs))
        .map((name) => [name, `link:${realpathSync(join(member.folder, "node_modules", name))}`]),
    );
    mkdirSync(project);
    const overrides = { ...tarballs, ...Object.fromEntries(links) };
    const manifest = { private: true, type: "module", dependencies: tarballs, pnpm: { overrides } };
    writeFileSync(join(project, "package.json"), JSON.stringify(manifest));
    sh("pnpm install --offline --ignore-scripts", project);
  });

  it("offers the same names to import and to require under every subpath", () => {
    const program = `
      const named = (module) => Object.keys(module).filter((name) => name !== "default" && name !== "module.exports").sort();
      const specifiers = ${JSON.stringify(specifiers)};
      Promise.all(specifiers.map((specifier) => import(specifier))).then((imported) => {
        const names = specifiers.map((specifier, i) => ({ required: named(require(specifier)), imported: named(imported[i]) }));
        console.log(JSON.stringify(names));
      });`;
    writeFileSync(join(project, "names.cjs"), program);
    const names: { required: string[]; imported: string[] }[] = JSON.parse(sh("node names.cjs", project));
    expect(names).toHaveLength(specifiers.length);
    for (const [i, { required, imported }] of names.entries()) {
      expect([specifiers[i], imported]).toEqual([specifiers[i], required]);
      expect(required).not.toEqual([]);
    }
  });

  it.each(programs.flatMap(({ manifest }) => Object.keys(manifest.bin ?? {})))(
    "%s starts and tells its use",
    (program) => {
      expect(sh(`"${join(project, "node_modules", ".bin", program)}" --help`, project)).toContain(program);
    },
  );

  /** What the guide and the READMEs of packages show, by name. */
  const guide = new Map(
    [...readFileSync(join(root, "docs/guide.md"), "utf8").matchAll(/^```ts mine\/(\S+)\.ts\n(.*?)^```/gms)].map(
      ([, name, code]) => [name, code],
    ),
  );
  const examples = new Map(
    packages.map(({ name, folder }) => [
      name,
      /```ts\n(.*?)```/s.exec(readFileSync(join(folder, "README.md"), "utf8"))?.[1] ?? "the README has no example",
    ]),
  );
  const write = (file: string, source: string) => writeFileSync(join(project, file), source);

  it("has types under every subpath, for modules of both kinds, by which wrong options are refused", () => {
    const lines = specifiers.map((specifier, i) => `import * as m${i} from "${specifier}";\nexport { m${i} };\n`);
    write("all.mts", lines.join(""));
    write("all.cts", lines.join(""));
    write(
      "wrong.mts",
      'import { connectFour } from "@magic-mask/environments";\nconnectFour({ observation: "nope" });',
    );
    // Node 20 reads no TypeScript.
    for (const [name, code] of guide) write(`${name}.mts`, code.replace(/(from "\.\/\w+)\.ts"/g, '$1.mjs"'));
    for (const [name, code] of examples) write(`${name}.mts`, code);
    const modules = ["all", "wrong", ...guide.keys(), ...examples.keys()].map((name) => `${name}.mts`);
    let said = "";
    try {
      sh(`tsc --strict --target es2022 --module node16 --pretty false all.cts ${modules.join(" ")}`, project);
    } catch (error) {
      said = `${error}`;
    }
    // What is wrong in the types of third parties is theirs.
    const errors = said.split("\n").filter((line) => line.includes(": error TS") && !line.startsWith(".."));
    expect(errors).toEqual([expect.stringMatching(/^wrong\.mts\(2,\d+\): error TS2322/)]);
  });

  it("plays and learns on worker threads, from modules of both kinds, as it does on none", () => {
    const shards = `
      import { stream } from "@magic-mask/core";
      import { ticTacToe } from "@magic-mask/environments";
      import { uniform } from "@magic-mask/masking";
      import { backends, learnerPolicy } from "@magic-mask/networks";
      import { createShardServer } from "@magic-mask/ppo";

      export async function team(create) {
        create ??= await backends.fused.load();
        const space = ticTacToe().actionSpaces[0];
        const spec = { kind: "mlp", inputs: 18, hidden: [8], activation: "relu", outputs: [10] };
        const learner = create(spec, stream(1, "weights"));
        const perturbations = [uniform(space), uniform(space)];
        const policies = [learnerPolicy(learner, space)];
        return { make: ticTacToe, learners: [learner], policies, players: [0, 0], perturbations, seed: 1 };
      }
      export const open = async () => createShardServer(await team());`;
    const run = `
      const { fusedThreads } = use("@magic-mask/networks/workers");
      const { createWorkerCollector } = use("@magic-mask/ppo/workers");
      const { createShardedCollector, shardWorlds, train } = use("@magic-mask/ppo");
      async function play(workers) {
        const { team } = await import("./shards.mjs");
        const threads = workers > 0 ? fusedThreads(workers) : undefined;
        const { make, learners, ...about } = await team(await threads?.load());
        const module = new URL("shards.mjs", folder).href;
        const description = { module, export: "open", options: null };
        const collector = workers > 0
          ? createWorkerCollector({ ...about, learners, description, workers, spec: make(), copies: 8 })
          : createShardedCollector({ ...about, vectors: shardWorlds(make, 8) });
        const blinding = () => ({ kind: "coin", probability: 0.1 });
        const [learner] = learners;
        const options = { collector, learners: [{ learner, policy: about.policies[0] }], blinding, totalSteps: 1024, seed: 1 };
        let last;
        for await (const { hash } of train(options)) last = hash;
        return last + learner.exportState().parameters;
      }
      Promise.all([play(0), play(2)]).then(([none, two]) => console.log(none === two ? "the same" : "not the same"));`;
    write("shards.mjs", shards);
    write(
      "threads.cjs",
      `const use = require; const folder = require("node:url").pathToFileURL(__dirname + "/"); ${run}`,
    );
    const imports = ["networks/workers", "ppo/workers", "ppo"].map(
      (name, i) => `import * as m${i} from "@magic-mask/${name}";`,
    );
    const use = 'const use = (name) => ({ "networks/workers": m0, "ppo/workers": m1, ppo: m2 })[name.slice(12)];';
    write("threads.mjs", `${imports.join("\n")}\n${use}\nconst folder = import.meta.url;\n${run}`);
    for (const file of ["threads.cjs", "threads.mjs"]) expect(sh(`node ${file}`, project).trim()).toBe("the same");
  });

  it("finds the Python file beside the build, from modules of both kinds", () => {
    writeFileSync(join(project, "python"), '#!/bin/sh\ntest -f "$2" && echo "found $2" >&2\nexit 9\n', { mode: 0o755 });
    const use = `
      try { pettingZoo({ module: "x", python: "./python" }); }
      catch (error) { console.log(error.code, /found .*magic_mask_env.py/.test(error.message)); }`;
    write("leaf.cjs", `const { pettingZoo } = require("@magic-mask/pettingzoo"); ${use}`);
    write("leaf.mjs", `import { pettingZoo } from "@magic-mask/pettingzoo"; ${use}`);
    for (const file of ["leaf.cjs", "leaf.mjs"]) expect(sh(`node ${file}`, project).trim()).toBe("worker-lost true");
  });

  it("serves worlds of the project to Python", () => {
    const open = { module: "@magic-mask/environments", export: "environments.tictactoe_v0", options: {}, copies: 1 };
    const payload = Buffer.from(`O${JSON.stringify(open)}`);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(payload.length);
    writeFileSync(join(project, "open.bin"), Buffer.concat([length, payload]));
    const served = join(project, "node_modules", ".bin", "magic-mask-serve");
    expect(sh(`"${served}" < open.bin`, project)).toContain('"id":"tictactoe_v0"');
  });

  it("runs the guide's study", () => {
    const program = join(project, "node_modules", ".bin", "magic-mask");
    const { trials, failures } = JSON.parse(sh(`"${program}" study study.mjs --quick --workers 1 --json`, project));
    expect([trials.length, failures]).toEqual([6, []]);
  });

  it.each(packages.map(({ name }) => name))(
    "runs the README's example of %s",
    (name) => void sh(`node ${name}.mjs`, project),
  );
});

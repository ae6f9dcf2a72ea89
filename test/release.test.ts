import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { type Member, membersIn, sh } from "./workspace.ts";

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

  it("satisfies publint", () => void sh(`publint run --strict ${tarball(member)}`, folder));
});

describe.each(packages)("the types of $manifest.name", (member) => {
  it("resolve for import and for require", () => void sh(`attw ${tarball(member)} --profile node16`, folder));
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

  it.each(specifiers)("%s offers the same names to import and to require", (specifier) => {
    const program = `
      const names = (module) => Object.keys(module).filter((name) => name !== "default" && name !== "module.exports");
      const required = names(require("${specifier}")).sort().join();
      import("${specifier}").then(names).then((imported) => {
        if (imported.sort().join() !== required || required === "") throw new Error(imported + " is not " + required);
      });`;
    writeFileSync(join(project, "names.cjs"), program);
    sh("node names.cjs", project);
  });

  it.each(programs.flatMap(({ manifest }) => Object.keys(manifest.bin ?? {})))(
    "%s starts and tells its use",
    (program) => {
      expect(sh(`"${join(project, "node_modules", ".bin", program)}" --help`, project)).toContain(program);
    },
  );

  const write = (file: string, source: string) => writeFileSync(join(project, file), source);

  /** What the compiler finds wrong in a user's files and in the packages' types; those of third parties are theirs. */
  const errorsIn = (...files: string[]): string[] => {
    try {
      sh(`tsc --strict --target es2022 --module node16 --pretty false ${files.join(" ")}`, project);
      return [];
    } catch (error) {
      const errors = `${error}`.split("\n").filter((line) => line.includes(": error TS"));
      if (errors.length === 0) throw error;
      return errors.filter((line) => !line.startsWith(".."));
    }
  };

  it("has types under every subpath, for modules of both kinds", () => {
    const lines = specifiers.map((specifier, i) => `import * as m${i} from "${specifier}";\nexport { m${i} };\n`);
    write("all.mts", lines.join(""));
    write("all.cts", lines.join(""));
    expect(errorsIn("all.mts", "all.cts")).toEqual([]);
  });

  it("refuses a wrong option, where it is wrong", () => {
    const lines = ['import { connectFour } from "@magic-mask/environments";', 'connectFour({ observation: "nope" });'];
    write("wrong.mts", lines.join("\n"));
    expect(errorsIn("wrong.mts")).toEqual([expect.stringMatching(/^wrong\.mts\(2,\d+\): error TS2322/)]);
  });

  it("compiles and runs the READMEs' examples", () => {
    for (const { name, folder } of packages) {
      const [, example] = readFileSync(join(folder, "README.md"), "utf8").match(/```ts\n(.*?)```/s) ?? [];
      write(`${name}.mts`, example ?? "the README has no example");
    }
    expect(errorsIn(...packages.map(({ name }) => `${name}.mts`))).toEqual([]);
    for (const { name } of packages) sh(`node ${name}.mjs`, project);
  });
});

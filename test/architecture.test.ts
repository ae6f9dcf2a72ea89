import { existsSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join, relative, resolve, sep } from "node:path";
import { describe, expect, it } from "@jest/globals";
import ts from "typescript";
import {
  type Manifest,
  type Member,
  membersIn,
  readManifest,
  root,
  SOURCE,
  sourcesIn,
  type Target,
} from "./workspace.ts";

/**
 * The star: core ← every other package ← apps. Core imports no other member, a package no sibling, an app no app; and
 * whatever is imported is declared, though the workspace's own node_modules would let it through.
 */
const packages = membersIn("packages");
const apps = membersIn("apps");
const isPackage = (name: string) => packages.some(({ manifest }) => manifest.name === name);
const isApp = (name: string) => apps.some(({ manifest }) => manifest.name === name);

const CORE = "@magic-mask/core";
const mayUse = (user: Member, used: string) =>
  isApp(user.manifest.name) ? !isApp(used) : !isPackage(used) || (used === CORE && user.manifest.name !== CORE);

const declared = ({ dependencies, peerDependencies, optionalDependencies }: Manifest) =>
  Object.keys({ ...dependencies, ...peerDependencies, ...optionalDependencies });

/** What tests and build files may import beside their package's own dependencies: the workspace's tools. */
const tools = Object.keys(readManifest(root).devDependencies ?? {}).filter((name) => !isPackage(name));

/** `@scope/name/sub` → `@scope/name` */
const packageOf = (specifier: string) => specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");

/** Every module specifier of a file: imports, exports, import types, `import()` and `require()`. */
const importsOf = (file: string) =>
  ts.preProcessFile(readFileSync(file, "utf8"), true, true).importedFiles.map(({ fileName }) => fileName);

const isRelative = (specifier: string) => specifier.startsWith(".");
const pathOf = (file: string, specifier: string) => resolve(dirname(file), specifier);

const sourceOf = (conditions: Target) => (typeof conditions === "string" ? "" : String(conditions[SOURCE] ?? ""));

/** The sources behind subpaths of a package, by default all; an app's main file. */
const entries = ({ folder, manifest }: Member, wanted: (subpath: string) => boolean = () => true) =>
  isApp(manifest.name)
    ? [join(folder, "src/main.ts")]
    : Object.entries(manifest.exports)
        .filter(([subpath]) => wanted(subpath))
        .map(([, conditions]) => join(folder, sourceOf(conditions)));

/** What a user of these files gets: them and all that they import by path. */
function closure(files: string[]): string[] {
  const all = new Set(files);
  // a Set's loop visits what is added on the way
  for (const file of all) {
    for (const specifier of importsOf(file).filter(isRelative)) all.add(pathOf(file, specifier));
  }
  return [...all];
}

const nodesOf = (file: string): ts.Node[] => {
  const nodes: ts.Node[] = [];
  const visit = (node: ts.Node): void => {
    nodes.push(node);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true));
  return nodes;
};

const show = (file: string, what: string) => `${relative(root, file)}: ${what}`;

describe.each([...packages, ...apps])("imports of $manifest.name", (member) => {
  const { folder, manifest } = member;

  it("its manifest points only where the star allows", () => {
    const wanted = [...declared(manifest), ...Object.keys(manifest.devDependencies ?? {})];
    expect(wanted.filter((name) => !mayUse(member, name))).toEqual([]);
  });

  it("its files import what the manifest declares, and nothing of another member by path", () => {
    const shipped = closure(entries(member));
    const wrong = sourcesIn(folder).flatMap((file) => {
      const allowed = [manifest.name, ...declared(manifest), ...(shipped.includes(file) ? [] : tools)];
      return importsOf(file)
        .filter((specifier) =>
          isRelative(specifier)
            ? !pathOf(file, specifier).startsWith(folder + sep)
            : !isBuiltin(specifier) && !allowed.includes(packageOf(specifier)),
        )
        .map((specifier) => show(file, specifier));
    });
    expect(wrong).toEqual([]);
  });
});

/** Names that only Node or only a page has. */
const HOST_NAMES =
  "process Buffer require __dirname __filename setImmediate window document navigator localStorage".split(" ");

/** Those of them that a file uses and does not declare itself. */
function hostNamesIn(file: string): string[] {
  const used = new Set<string>();
  const own = new Set<string>();
  for (const node of nodesOf(file)) {
    if (!ts.isIdentifier(node)) continue;
    const { parent } = node;
    if (!("name" in parent) || parent.name !== node) used.add(node.text);
    else if (ts.isVariableDeclaration(parent) || ts.isParameter(parent) || ts.isBindingElement(parent))
      own.add(node.text);
  }
  return HOST_NAMES.filter((name) => used.has(name) && !own.has(name));
}

/** Leaves that are about what only Node has: child processes, say. */
const FOR_NODE = ["@magic-mask/pettingzoo"];

describe.each(packages)("sources of $manifest.name", (member) => {
  it("run in a browser and in Node, but for those behind a subpath of their own and leaves for Node", () => {
    const forNode = FOR_NODE.includes(member.manifest.name);
    const portable = closure(entries(member, (subpath) => !forNode && [".", "./testing"].includes(subpath)));
    const wrong = portable.flatMap((file) =>
      [...importsOf(file).filter((specifier) => isBuiltin(specifier)), ...hostNamesIn(file)].map((name) =>
        show(file, name),
      ),
    );
    expect(wrong).toEqual([]);
  });

  it("give the same numbers on every Node: no Math.random, Math.pow, **", () => {
    const wrong = closure(entries(member)).flatMap((file) =>
      nodesOf(file)
        .filter(
          (node) =>
            ["Math.random", "Math.pow"].includes(ts.isPropertyAccessExpression(node) ? node.getText() : "") ||
            node.kind === ts.SyntaxKind.AsteriskAsteriskToken ||
            node.kind === ts.SyntaxKind.AsteriskAsteriskEqualsToken,
        )
        .map((node) => show(file, node.getText())),
    );
    expect(wrong).toEqual([]);
  });
});

describe.each(packages)("package $manifest.name", ({ name, folder, manifest }) => {
  it("offers under each subpath its source first, then a build for import and for require", () => {
    for (const conditions of Object.values(manifest.exports)) {
      const source = sourceOf(conditions);
      expect(existsSync(join(folder, source)) ? source : `${source} is missing`).toMatch(/^\.\/src\/.+\.ts$/);
      const built = source.replace("./src/", "./dist/").replace(/\.ts$/, "");
      expect(Object.keys(conditions)[0]).toBe(SOURCE);
      expect(conditions).toEqual({
        [SOURCE]: source,
        import: { types: `${built}.d.ts`, default: `${built}.js` },
        require: { types: `${built}.d.cts`, default: `${built}.cjs` },
      });
    }
  });

  it("publishes the same map without its source", () => {
    const published = Object.entries(manifest.exports).map(([subpath, conditions]) => {
      const { [SOURCE]: _, ...built } = conditions as Record<string, Target>;
      return [subpath, built];
    });
    expect(manifest.publishConfig?.exports).toEqual(Object.fromEntries(published));
  });

  it("says what npm shows and needs", () => {
    expect(manifest).toMatchObject({
      license: "MIT",
      type: "module",
      sideEffects: false,
      engines: readManifest(root).engines,
      repository: { directory: `packages/${name}` },
    });
    const [built, ...beside] = manifest.files ?? [];
    expect(built).toBe("dist");
    expect(beside.filter((file) => !existsSync(join(folder, file)))).toEqual([]);
    expect(manifest.description).toMatch(/^[A-Z].{20,}\.$/);
    expect(existsSync(join(folder, "README.md")) ? "README.md" : "no README.md").toBe("README.md");
  });
});

describe("the command line", () => {
  /** What a file cannot start without: its imports, but for types and `import()`. */
  const loadedBy = (file: string) =>
    nodesOf(file).flatMap((node) =>
      ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier) && !node.importClause?.isTypeOnly
        ? [node.moduleSpecifier.text]
        : [],
    );

  it("starts with commander and core alone: an action imports what it works with itself", () => {
    const files = new Set([join(root, "apps/trainer/src/main.ts")]);
    const others = new Set<string>();
    // a Set's loop visits what is added on the way
    for (const file of files) {
      for (const specifier of loadedBy(file)) {
        if (isRelative(specifier)) files.add(pathOf(file, specifier));
        else if (!isBuiltin(specifier)) others.add(specifier);
      }
    }
    expect([...others].sort()).toEqual([CORE, "commander"]);
  });
});

describe("the workspace", () => {
  it("has as a tool the pnpm that it pins, for the programs that look for one on the PATH", () => {
    const { packageManager, devDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    expect(`pnpm@${devDependencies.pnpm}`).toBe(packageManager);
  });
});

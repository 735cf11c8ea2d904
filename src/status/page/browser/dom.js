// What every part of the page does with the document. Data becomes text, never markup.

/** @import { Level } from './words.js' */

/** A badge says its level with a sign and a word, and only then with a colour. */
const SIGNS = { ok: '●', warning: '▲', error: '✖', none: '○' };

/** @param {string} id */
export function byId(id) {
  const node = document.getElementById(id);
  if (node === null) throw new Error(`the page has no #${id}`);
  return node;
}

/**
 * A piece of the page whose elements with `data-slot` are filled with text. Touches the
 * document only where a text is another one than before.
 */
export class View {
  /** @type {Map<string, HTMLElement>} */
  #slots = new Map();
  /** @type {Map<string, string | null>} */
  #texts = new Map();

  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    for (const node of root.querySelectorAll('[data-slot]')) {
      if (node instanceof HTMLElement) this.#slots.set(node.dataset['slot'] ?? '', node);
    }
  }

  /**
   * A copy of a `<template>`.
   *
   * @param {string} id
   */
  static stamp(id) {
    const template = /** @type {HTMLTemplateElement} */ (byId(id));
    const root = /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true));
    return new View(root);
  }

  /** @param {string} name */
  slot(name) {
    const node = this.#slots.get(name);
    if (node === undefined) throw new Error(`no slot ${name}`);
    return node;
  }

  /**
   * @param {Readonly<Record<string, string | null>>} texts by slot; null hides it, and with it
   *   the row of a list that it stands in
   */
  write(texts) {
    for (const [name, text] of Object.entries(texts)) {
      if (this.#texts.get(name) === text) continue;
      this.#texts.set(name, text);
      const node = this.slot(name);
      const row = node.matches('dd') ? (node.parentElement ?? node) : node;
      row.hidden = text === null;
      if (text !== null) node.textContent = text;
    }
  }

  /**
   * @param {string} name
   * @param {Level} level
   * @param {string} word
   */
  badge(name, level, word) {
    setBadge(this.slot(name), level, word);
  }
}

/**
 * @param {HTMLElement} node
 * @param {Level} level
 * @param {string} word
 */
export function setBadge(node, level, word) {
  const text = `${SIGNS[level]} ${word}`;
  if (node.textContent === text) return;
  node.textContent = text;
  node.dataset['level'] = level;
}

/** Views of things that come and go, by their key. */
export class Views {
  /** @type {Map<string, View>} */
  #views = new Map();
  #template;

  /** @param {string} template */
  constructor(template) {
    this.#template = template;
  }

  /**
   * The view of each thing, filled; those of other things are forgotten.
   *
   * @template T
   * @param {readonly T[]} things
   * @param {(thing: T) => string} keyOf
   * @param {(view: View, thing: T) => void} fill
   */
  of(things, keyOf, fill) {
    /** @type {Map<string, View>} */
    const views = new Map();
    for (const thing of things) {
      const key = keyOf(thing);
      const view = this.#views.get(key) ?? View.stamp(this.#template);
      fill(view, thing);
      views.set(key, view);
    }
    this.#views = views;
    return views;
  }

  /**
   * The same, as the children of `parent`.
   *
   * @template T
   * @param {HTMLElement} parent
   * @param {readonly T[]} things
   * @param {(thing: T) => string} keyOf
   * @param {(view: View, thing: T) => void} fill
   */
  show(parent, things, keyOf, fill) {
    arrange(
      parent,
      [...this.of(things, keyOf, fill).values()].map(({ root }) => root),
    );
  }
}

/**
 * Makes `nodes` the children of `parent`, in this order; those in their place already are
 * not touched.
 *
 * @param {HTMLElement} parent
 * @param {readonly HTMLElement[]} nodes
 */
export function arrange(parent, nodes) {
  let at = parent.firstElementChild;
  for (const node of nodes) {
    if (at !== null && at !== node && at.nextElementSibling === node) {
      at.remove();
      at = node;
    }
    if (at === node) at = node.nextElementSibling;
    else parent.insertBefore(node, at);
  }
  while (at !== null) {
    const next = at.nextElementSibling;
    at.remove();
    at = next;
  }
}

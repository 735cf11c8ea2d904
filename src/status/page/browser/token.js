// The form that asks for the relay's token.

import { byId } from './dom.js';

const KEY = 'logboom-token';

/** The token of this tab, kept until it is closed. */
export function savedToken() {
  return sessionStorage.getItem(KEY);
}

export class TokenForm {
  #form = /** @type {HTMLFormElement} */ (byId('token-form'));
  #field = /** @type {HTMLInputElement} */ (byId('token'));
  #error = byId('token-error');

  /** @param {(token: string) => void} onToken */
  constructor(onToken) {
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      const token = this.#field.value.trim();
      sessionStorage.setItem(KEY, token);
      onToken(token);
    });
  }

  /** @param {boolean} refused whether a token was tried */
  ask(refused) {
    sessionStorage.removeItem(KEY);
    this.#error.textContent = refused ? 'The relay does not take this token.' : '';
    this.#form.hidden = false;
    this.#field.value = '';
    this.#field.focus();
  }

  hide() {
    this.#form.hidden = true;
  }
}

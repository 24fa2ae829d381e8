/** Path under which the server is published, with slashes at both ends: this module lives in `<base>assets/`. */
export const basePath = import.meta.env.DEV ? '/' : new URL(/* @vite-ignore */ '..', import.meta.url).pathname;

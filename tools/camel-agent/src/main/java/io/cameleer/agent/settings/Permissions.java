package io.cameleer.agent.settings;

/** What whoever runs the application lets the server do with its routes. */
public record Permissions(boolean routeControl, boolean replay) {

    public static Permissions all() {
        return new Permissions(true, true);
    }
}

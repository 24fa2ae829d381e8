package io.cameleer.agent.send;

import java.util.Arrays;
import java.util.Map;
import java.util.stream.Collectors;

/** A Camel whose routes run, once it has started. */
class KnownCamel implements CamelState {

    private final Map<String, String> routes;
    volatile boolean started = true;

    KnownCamel(String... routes) {
        this.routes = Arrays.stream(routes).collect(Collectors.toMap(route -> route, route -> "Started"));
    }

    @Override
    public String camelVersion() {
        return "4.4.5";
    }

    @Override
    public String runtime() {
        return "camel";
    }

    @Override
    public boolean started() {
        return started;
    }

    @Override
    public Map<String, String> routeStates() {
        return started ? routes : Map.of();
    }

    @Override
    public boolean stopping() {
        return false;
    }
}

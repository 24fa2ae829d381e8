package io.cameleer.agent.send;

import java.util.List;
import java.util.Map;

import io.cameleer.agent.command.CamelControl;

/** What the sending side asks about the Camel contexts of this JVM. Called from the agent's threads; must not throw. */
public interface CamelState {

    /** Empty until the first context is known. */
    String camelVersion();

    /** {@code main}, {@code spring-boot} or {@code camel}. */
    String runtime();

    /** True once a context has started, that is, once its routes are known. */
    boolean started();

    /** Route id → {@code Started}, {@code Stopped} or {@code Suspended}. */
    Map<String, String> routeStates();

    /** What carries out commands, one for each context; empty before the first. */
    default List<CamelControl> controls() {
        return List.of();
    }

    /** True while a context is shutting down and may still finish exchanges. */
    boolean stopping();
}

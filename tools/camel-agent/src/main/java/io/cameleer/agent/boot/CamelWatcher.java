package io.cameleer.agent.boot;

import java.lang.instrument.ClassFileTransformer;
import java.security.ProtectionDomain;
import java.util.Collections;
import java.util.Set;
import java.util.WeakHashMap;

/**
 * Notices the class loader that is about to load Camel's context class, before the first context can exist, and opens the Camel-facing
 * part there. It looks only; no class is ever changed.
 *
 * <p>The part is opened on the loading thread, inside the notification. That is the one moment between "Camel is here" and "a context
 * exists" which needs no waiting for another thread. The classes that this loads (the tracker's and its own) are not among those being
 * loaded at that moment, so no loader waits for itself.
 */
final class CamelWatcher implements ClassFileTransformer {

    private static final String CONTEXT = "org/apache/camel/impl/engine/AbstractCamelContext";

    private final AgentRuntime runtime;
    private final Set<ClassLoader> seen = Collections.synchronizedSet(Collections.newSetFromMap(new WeakHashMap<>()));

    CamelWatcher(AgentRuntime runtime) {
        this.runtime = runtime;
    }

    @Override
    public byte[] transform(ClassLoader loader, String name, Class<?> redefined, ProtectionDomain domain, byte[] bytes) {
        if (loader != null && redefined == null && CONTEXT.equals(name) && seen.add(loader)) {
            open(loader);
        }
        return null;
    }

    private void open(ClassLoader loader) {
        try {
            CamelPartLoader part = new CamelPartLoader(loader, CamelWatcher.class.getClassLoader());
            Class<?> hook = Class.forName(CamelPartLoader.PART + "CamelHook", true, part);
            hook.getMethod("open", AgentRuntime.class).invoke(null, runtime);
        } catch (Throwable e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            AgentLog.warn("this Camel cannot be observed, the application runs without: " + cause);
        }
    }
}

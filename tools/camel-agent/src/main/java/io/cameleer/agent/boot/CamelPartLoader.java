package io.cameleer.agent.boot;

import java.io.IOException;
import java.io.InputStream;

/**
 * Loads the Camel-facing part of the agent beside the application's Camel: its own classes come from the agent's jar, the boot part
 * from where it is already loaded, and everything else (Camel above all) from the loader that loaded Camel.
 */
final class CamelPartLoader extends ClassLoader {

    static final String PART = "io.cameleer.agent.camel.";
    private static final String AGENT = "io.cameleer.agent.";

    static {
        registerAsParallelCapable();
    }

    private final ClassLoader agent;

    CamelPartLoader(ClassLoader camel, ClassLoader agent) {
        super("cameleer-camel-part", camel);
        this.agent = agent;
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
        if (!name.startsWith(AGENT)) {
            return super.loadClass(name, resolve);
        }
        if (!name.startsWith(PART)) {
            return agent.loadClass(name);
        }
        synchronized (getClassLoadingLock(name)) {
            Class<?> loaded = findLoadedClass(name);
            return loaded != null ? loaded : define(name);
        }
    }

    private Class<?> define(String name) throws ClassNotFoundException {
        try (InputStream in = agent.getResourceAsStream(name.replace('.', '/') + ".class")) {
            if (in == null) {
                throw new ClassNotFoundException(name);
            }
            byte[] bytes = in.readAllBytes();
            return defineClass(name, bytes, 0, bytes.length);
        } catch (IOException e) {
            throw new ClassNotFoundException(name, e);
        }
    }
}

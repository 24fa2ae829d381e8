package io.cameleer.agent.settings;

/** Whether what is sent is compressed: processor time of the application against bytes on the network. */
public enum Compression {
    /** Unless the server runs on the same machine. */
    AUTO,
    GZIP, NONE
}

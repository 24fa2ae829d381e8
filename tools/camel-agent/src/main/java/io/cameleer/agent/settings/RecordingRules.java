package io.cameleer.agent.settings;

import io.cameleer.agent.mask.SensitiveKeys;

/**
 * What the recorder reads for every exchange. Immutable; the server's configuration replaces the whole object.
 *
 * @param samplingRate share of the exchanges that are recorded, 0 to 1
 */
public record RecordingRules(EngineLevel level, CaptureMode capture, double samplingRate, SensitiveKeys sensitiveKeys) {
}

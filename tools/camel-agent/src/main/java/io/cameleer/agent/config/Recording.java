package io.cameleer.agent.config;

import java.util.List;

import io.cameleer.agent.settings.CaptureMode;
import io.cameleer.agent.settings.EngineLevel;

/**
 * The rules for one exchange's passage through one route, chosen where it begins: a change of the configuration counts for the next.
 *
 * @param forced recorded whatever sampling and route recording say
 * @param compress the payload is left out when it completes
 */
public record Recording(LiveConfig config, EngineLevel level, CaptureMode capture, boolean forced, boolean compress) {

    /** By the configuration. */
    public static Recording of(LiveConfig config) {
        return new Recording(config, config.rules().level(), config.rules().capture(), false, config.compressSuccess());
    }

    /** For a time all there is. */
    public static Recording deep(LiveConfig config) {
        return new Recording(config, EngineLevel.COMPLETE, CaptureMode.BOTH, true, false);
    }

    /** A replay is always recorded, with its processors: somebody is waiting to see it. The capture mode counts. */
    public static Recording replay(LiveConfig config) {
        EngineLevel level = config.rules().level();
        return new Recording(config, level.compareTo(EngineLevel.REGULAR) < 0 ? EngineLevel.REGULAR : level, config.rules().capture(),
            true, false);
    }

    /** Whether a processor gets a record: by the level, or because it is traced or tapped. */
    public boolean records(String processorId) {
        return level.compareTo(EngineLevel.REGULAR) >= 0 || config.traced().containsKey(processorId)
            || config.taps().containsKey(processorId);
    }

    /** What of a processor's payload is recorded when it does not fail. */
    public CaptureMode captureOf(String processorId) {
        CaptureMode traced = config.traced().isEmpty() ? null : config.traced().get(processorId);
        if (traced != null && !(forced && capture == CaptureMode.BOTH)) {
            return traced;
        }
        return level == EngineLevel.COMPLETE ? capture : CaptureMode.NONE;
    }

    public List<Tap> taps(String processorId) {
        return config.taps().isEmpty() ? List.of() : config.taps().getOrDefault(processorId, List.of());
    }
}

using Tunnel.App.Config.Schema;
using Tunnel.App.Config.Toml;

namespace Tunnel.App.Config.Loading;

/// <summary>[transport.kcp].</summary>
internal static class KcpLoader
{
    public static KcpConfig Load(ConfigReader reader, bool isKcptun)
    {
        KcpBlock block = LoadBlock(reader, isKcptun, out bool blockIsSound);
        GuardConfig? guard = LoadGuard(reader, isKcptun, out bool guardIsSound);
        bool needsKey = blockIsSound && guardIsSound && (guard is not null || block is not (KcpBlock.None or KcpBlock.Null));
        (int smuxBuf, int streamBuf) = LoadBuffers(reader);
        (TimeSpan keepAlive, TimeSpan keepAliveTimeout) = LoadKeepAlive(reader);
        Secret key = KeyLoader.Load(reader, needsKey, out string? keyFile);
        return new KcpConfig
        {
            Tuning = LoadTuning(reader),
            Pacing = reader.Get(KcpKeys.Pacing).Value,
            Mtu = reader.Get(KcpKeys.Mtu).Value,
            RcvWnd = reader.Get(KcpKeys.RcvWnd).Value,
            SndWnd = reader.Get(KcpKeys.SndWnd).Value,
            Key = key,
            KeyFile = keyFile,
            Block = block,
            Guard = guard,
            SmuxBuf = smuxBuf,
            StreamBuf = streamBuf,
            SmuxVersion = reader.Get(KcpKeys.SmuxVersion).Value,
            KeepAlive = keepAlive,
            KeepAliveTimeout = keepAliveTimeout,
            MaxSessions = reader.Get(KcpKeys.MaxSessions).Value,
            MaxStreamsTotal = reader.Get(KcpKeys.MaxStreamsTotal).Value,
            MaxStreamsPerSession = reader.Get(KcpKeys.MaxStreamsPerSession).Value,
            HeaderTimeout = reader.Get(KcpKeys.HeaderTimeout).Value,
        };
    }

    private static KcpTuning LoadTuning(ConfigReader reader)
    {
        Setting<KcpTuning?> mode = reader.Get(KcpKeys.Mode);
        Setting<bool>[] switches =
            [reader.Get(KcpKeys.NoDelay), reader.Get(KcpKeys.NoCongestion), reader.Get(KcpKeys.WDelay), reader.Get(KcpKeys.AckNoDelay)];
        Setting<TimeSpan> interval = reader.Get(KcpKeys.Interval);
        Setting<int> resend = reader.Get(KcpKeys.Resend);
        if (mode.Value is null)
            return new(switches[0].Value, interval.Value, resend.Value, switches[1].Value, switches[2].Value, switches[3].Value);

        if (mode.IsSound)
            ReportManualKeys(reader);
        return mode.Value;
    }

    private static void ReportManualKeys(ConfigReader reader)
    {
        foreach (ConfigKey key in KcpKeys.Manual)
        {
            if (reader.Find(key) is { } entry)
                reader.Report(entry.Position, key, "only the manual mode has this key: set mode = \"manual\", or leave the key out");
        }
    }

    private static KcpBlock LoadBlock(ConfigReader reader, bool isKcptun, out bool isSound)
    {
        Setting<KcpBlock> block = reader.Get(KcpKeys.Block);
        isSound = block.IsSound;
        return isKcptun && !block.IsSet ? KcpBlock.Aes : block.Value;
    }

    private static GuardConfig? LoadGuard(ConfigReader reader, bool isKcptun, out bool isSound)
    {
        Setting<bool> guard = reader.Get(KcpKeys.Guard);
        var config = new GuardConfig(
            reader.Get(KcpKeys.GuardMagic).Value,
            reader.Get(KcpKeys.GuardWindow).Value,
            Math.Max(1, reader.Get(KcpKeys.GuardSkew).Value));
        isSound = guard.IsSound;
        if (isKcptun && guard is { State: SettingState.Good, Value: true })
            reader.Report(guard.Position, KcpKeys.Guard, "transport.profile = \"kcptun\" has no guard", "false");
        return isKcptun || !guard.Value ? null : config;
    }

    private static (int SmuxBuf, int StreamBuf) LoadBuffers(ConfigReader reader)
    {
        Setting<int> smux = reader.Get(KcpKeys.SmuxBuf);
        Setting<int> stream = reader.Get(KcpKeys.StreamBuf);
        // Whoever sets the one is not told off for the other's default.
        if (!stream.IsSet)
            return (smux.Value, Math.Min(smux.Value, stream.Value));
        if (smux.IsSound && stream.IsSound && stream.Value > smux.Value)
        {
            reader.Report(
                stream.Position,
                KcpKeys.StreamBuf,
                $"{UnitTypes.FormatSize(stream.Value)} is more than smuxbuf, which is {UnitTypes.FormatSize(smux.Value)}",
                "at most smuxbuf");
        }

        return (smux.Value, stream.Value);
    }

    private static (TimeSpan KeepAlive, TimeSpan Timeout) LoadKeepAlive(ConfigReader reader)
    {
        Setting<TimeSpan> keepAlive = reader.Get(KcpKeys.KeepAlive);
        Setting<TimeSpan> timeout = reader.Get(KcpKeys.KeepAliveTimeout);
        if (keepAlive.IsSound && timeout.IsSound && timeout.Value <= keepAlive.Value)
        {
            TomlPosition position = timeout.IsSet ? timeout.Position : keepAlive.Position;
            (double limit, double interval) = (timeout.Value.TotalSeconds, keepAlive.Value.TotalSeconds);
            string what = $"{limit:0.###}s is not longer than keepalive, which is {interval:0.###}s";
            reader.Report(position, KcpKeys.KeepAliveTimeout, what, "longer than keepalive");
        }

        return (keepAlive.Value, timeout.Value);
    }
}

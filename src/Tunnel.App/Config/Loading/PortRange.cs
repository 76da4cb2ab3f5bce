using Tunnel.App.Config.Schema;

namespace Tunnel.App.Config.Loading;

/// <summary>Consecutive ports must exist.</summary>
internal static class PortRange
{
    public static void Check(ConfigReader reader, ConfigKey<int> key, Setting<int> ports, int first)
    {
        if (ports.State == SettingState.Good && first + ports.Value - 1 > ushort.MaxValue)
            reader.Report(ports.Position, key, $"the last port would be {first + ports.Value - 1}", $"at most {ushort.MaxValue - first + 1} from {first} on");
    }
}

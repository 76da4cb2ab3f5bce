using Tunnel.App.Config.Toml;

namespace Tunnel.App.Config.Schema;

/// <summary>Lists of TCP flags as letters: ["PA", "A"].</summary>
internal static class TcpFlagsType
{
    /// <summary>The letter's place is its bit in the header: FIN SYN RST PSH ACK URG ECE CWR NS.</summary>
    private const string Letters = "FSRPAUECN";
    private const int MaxItems = 64;

    public static readonly ConfigType<ushort[]> List = new(
        $"a list of 1 to {MaxItems} strings of the letters F S R P A U E C N (FIN SYN RST PSH ACK URG ECE CWR NS), each once at most",
        Read);

    private static Parsed<ushort[]> Read(TomlValue value)
    {
        if (value is not TomlArray { IsOfTables: false } array)
            return Parsed<ushort[]>.Mismatch(value);
        if (array.Items.Count is 0 or > MaxItems)
            return Parsed<ushort[]>.Bad($"this list has {array.Items.Count} strings");

        var flags = new ushort[array.Items.Count];
        for (int i = 0; i < flags.Length; i++)
        {
            if (array.Items[i] is not TomlString text)
                return Parsed<ushort[]>.Mismatch(array.Items[i]);
            if (!TryReadFlags(text.Value, out flags[i]))
                return Parsed<ushort[]>.Bad($"{BasicTypes.Quote(text.Value)} is not a set of flags", text.Position);
        }

        return Parsed<ushort[]>.Good(flags);
    }

    private static bool TryReadFlags(string text, out ushort flags)
    {
        flags = 0;
        foreach (char c in text)
        {
            int bit = Letters.IndexOf(c, StringComparison.Ordinal);
            if (bit < 0 || (flags & 1 << bit) != 0)
                return false;

            flags |= (ushort)(1 << bit);
        }

        return flags != 0;
    }
}

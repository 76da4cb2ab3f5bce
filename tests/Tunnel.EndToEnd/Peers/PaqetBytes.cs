using System.Text;

namespace Tunnel.EndToEnd.Peers;

/// <summary>
/// Stream headers as the versions of paqet and its fork write them, put together here byte by byte and not by the code under test. Each
/// header is a list of frames: gob writes each of its messages by itself.
/// </summary>
internal static class PaqetBytes
{
    /// <summary>The question for capabilities, as far as it is always the same.</summary>
    public const string CapabilitiesQuestion = "50011000";

    private static readonly string[] GobDefinitions =
    [
        "2f7f0301010550726f746f01ff8000010301045479706501060001044164647201ff820001045443504601ff86000000",
        "24ff81030101044164647201ff820001020104486f7374010c000104506f72740104000000",
        "1aff850201010b5b5d636f6e662e5443504601ff860001ff840000",
        "59ff83030101045443504601ff84000109010346494e010200010353594e010200010352535401020001035053480102000103"
            + "41434b01020001035552470102000103454345010200010343575201020001024e530102000000",
    ];

    public static string[] Ping(string dialect) => dialect switch
    {
        "v1" => ["5001010000"],
        "v3" => ["0100"],
        _ => [.. GobDefinitions, "05ff80010100"],
    };

    public static string[] Pong(string dialect) => dialect switch
    {
        "v1" => ["5001020000"],
        "v3" => ["0200"],
        _ => [.. GobDefinitions, "05ff80010200"],
    };

    /// <summary>"Show me PSH and ACK, then ACK alone."</summary>
    public static string[] Flags(string dialect) => dialect switch
    {
        "v1" => ["5001030005" + "02" + "0018" + "0010"],
        "v3" => ["0302" + "02" + "0018" + "0010"],
        _ => [.. GobDefinitions, "0fff8001030202040101010005010000"],
    };

    public static string[] Tcp(string dialect, string host, int port) => Dial(dialect, 4, host, port);

    public static string[] Udp(string dialect, string host, int port) => Dial(dialect, 5, host, port);

    private static string[] Dial(string dialect, byte type, string host, int port)
    {
        string name = Convert.ToHexStringLower(Encoding.ASCII.GetBytes(host));
        int length = host.Length;
        return dialect switch
        {
            "v1" => [$"5001{type:x2}{1 + length + 2:x4}{length:x2}{name}{port:x4}"],
            "v3" => [$"{type:x2}01{length:x4}{name}{port:x4}"],
            _ => [.. GobDefinitions, GobValue($"ff8001{type:x2}" + $"0101{length:x2}{name}" + $"01{GobInteger(port)}" + "0000")],
        };
    }

    private static string GobValue(string body) => $"{body.Length / 2:x2}{body}";

    /// <summary>Twice the number, as it is not negative; from 128 on behind the count of its bytes, negated.</summary>
    private static string GobInteger(int number) => (2 * number) switch
    {
        < 128 and var small => $"{small:x2}",
        < 256 and var byteful => $"ff{byteful:x2}",
        < 65_536 and var two => $"fe{two:x4}",
        var three => $"fd{three:x6}",
    };
}

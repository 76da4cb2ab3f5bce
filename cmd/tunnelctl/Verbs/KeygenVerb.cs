using System.Buffers.Text;
using System.CommandLine;
using System.Security.Cryptography;
using Tunnel.Ctl.Check;

namespace Tunnel.Ctl.Verbs;

/// <summary>keygen: prints a new secret for transport.kcp.key, the same for both ends.</summary>
internal static class KeygenVerb
{
    private const int KeyLength = 32;

    private const string Description = """
        Print a new key (256 random bits) for transport.kcp.key; both ends need the same.

        Exit codes: 0 printed, 2 a wrong command line.

        Examples:
          tunnelctl keygen
          (umask 077 && tunnelctl keygen > key)
          tunnelctl keygen --json
        """;

    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "Print JSON" };
        var command = new Command("keygen", Description) { json };
        command.SetAction(parsed =>
        {
            string key = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(KeyLength));
            Console.Out.WriteLine(parsed.GetValue(json) ? JsonText.Write(new { Key = key }) : key);
        });
        return command;
    }
}

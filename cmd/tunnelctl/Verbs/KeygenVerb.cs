using System.Buffers.Text;
using System.CommandLine;
using System.Security.Cryptography;

namespace Tunnel.Ctl.Verbs;

/// <summary>keygen: prints a new secret for transport.kcp.key, the same for both ends.</summary>
internal static class KeygenVerb
{
    private const int KeyLength = 32;

    public static Command Create()
    {
        var command = new Command("keygen", "Print a new key (256 random bits) for transport.kcp.key; both ends need the same");
        command.SetAction(_ => Console.Out.WriteLine(Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(KeyLength))));
        return command;
    }
}
